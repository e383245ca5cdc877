import torch

from models.training.adversary import ModalityClassifier


def test_the_game_makes_the_classifier_better_and_the_places_worse() -> None:
    torch.manual_seed(0)
    classifier = ModalityClassifier(4)
    text, image = torch.randn(6, 4, requires_grad=True), torch.randn(6, 4, requires_grad=True)
    before = classifier.game(text, image)
    before.backward()

    with torch.no_grad():
        as_it_was = {name: one.clone() for name, one in classifier.named_parameters()}
        for weights in classifier.parameters():
            assert weights.grad is not None
            weights.sub_(0.05 * weights.grad)
        better = classifier.game(text, image)
        classifier.load_state_dict(as_it_was)
        assert text.grad is not None
        assert image.grad is not None
        worse = classifier.game(text - 0.5 * text.grad, image - 0.5 * image.grad)

    assert better < before < worse


def test_modalities_apart_come_together() -> None:
    """Two clouds that a line parts; both sides of the game circle where neither has an edge."""
    torch.manual_seed(0)
    text, image = torch.randn(200, 4) + 2, torch.randn(200, 4)
    shift = torch.nn.Parameter(torch.zeros(4))  # what the image's projection may learn
    classifier = ModalityClassifier(4)
    optimizer = torch.optim.Adam([shift, *classifier.parameters()], lr=0.02)
    losses, shifts = [], []
    for _ in range(1000):
        optimizer.zero_grad()
        loss = classifier.game(text, image + shift)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        shifts.append(shift.detach().clone())

    assert min(losses[:100]) < 0.3
    torch.testing.assert_close(
        torch.stack(shifts[500:]).mean(dim=0), torch.full((4,), 2.0), atol=0.4, rtol=0
    )
