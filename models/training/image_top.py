"""The upper part of an image encoder, trained on what the frozen part below gave once."""

from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from models.image_encoder import ImageEncoder
from models.training.settings import TrainingSettingsError


class ImageTop(nn.Module):
    """From stored inputs to patch features.

    Without a cut the stored inputs are the patch features themselves and nothing is trained. With
    `cut`, the name of a module that takes one tensor (`blocks.6` of MobileNetV2), they are what
    that module was given, so an epoch costs the top alone: of MobileNetV2, 43 of 300 million
    multiplications. Batch statistics stay as they are: a batch here is small.
    """

    def __init__(self, encoder: ImageEncoder, cut: str | None) -> None:
        super().__init__()
        self.encoder, self.cut = encoder, cut
        encoder.requires_grad_(False)
        if cut is not None:
            for module in self._modules_behind():
                for parameter in module.parameters(recurse=False):
                    parameter.requires_grad_(True)

    @torch.inference_mode()
    def store(self, pixels: Tensor) -> Tensor:
        """What is to be kept of images, float16: patches, or the input of the cut."""
        self.encoder.eval()
        if self.cut is None:
            patches: Tensor = self.encoder(pixels)
            return patches.half()
        reached: list[Tensor] = []

        def keep(_: nn.Module, arguments: tuple[Any, ...]) -> NoReturn:
            reached.append(arguments[0])
            raise _ReachedError

        hook = self._module().register_forward_pre_hook(keep)
        try:
            self.encoder(pixels)
        except _ReachedError:
            pass
        finally:
            hook.remove()
        return reached[0].half()

    def forward(self, stored: Tensor) -> Tensor:
        if self.cut is None:
            return stored.float()
        hook = self._module().register_forward_pre_hook(lambda *_: (stored.float(),))
        try:
            # Below the cut one black image passes, and is thrown away at the cut.
            black = torch.zeros(1, 224, 224, 3, dtype=torch.uint8, device=stored.device)
            patches: Tensor = self.encoder(black)
        finally:
            hook.remove()
        return patches

    def train(self, mode: bool = True) -> "ImageTop":
        """As `nn.Module.train`, but batch statistics are left alone."""
        super().train(mode)
        self.encoder.eval()
        return self

    def _module(self) -> nn.Module:
        try:
            return self.encoder.backbone.get_submodule(self.cut or "")
        except AttributeError as error:
            known = ", ".join(name for name, _ in self.encoder.backbone.named_children())
            raise TrainingSettingsError(
                f"train_image_from: the image encoder has no {self.cut!r}; it has {known}"
            ) from error

    def _modules_behind(self) -> list[nn.Module]:
        """Modules with weights of their own that run from the cut on, found by running an image."""
        order: list[nn.Module] = []
        own = [
            one for one in self.encoder.backbone.modules() if list(one.parameters(recurse=False))
        ]
        hooks = [
            one.register_forward_pre_hook(lambda module, _: order.append(module))
            for one in {*own, self._module()}
        ]
        device = next(self.encoder.parameters()).device
        try:
            with torch.inference_mode():
                self.encoder.eval()(torch.zeros(1, 224, 224, 3, dtype=torch.uint8, device=device))
        finally:
            for hook in hooks:
                hook.remove()
        return order[order.index(self._module()) :]


class _ReachedError(Exception):
    """The cut was reached: what lies behind it need not run."""
