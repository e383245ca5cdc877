import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.language import detect_language, language_code


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("the new update broke my phone again, thanks a lot", "en"),
        ("Lieferung kam pünktlich, alles super", "de"),
        ("la livraison est encore en retard", "fr"),
        ("me encanta la nueva cámara", "es"),
        ("adorei o atendimento, muito rápido", "pt"),
        ("il pacco non è mai arrivato", "it"),
        ("klantenservice neemt niet op", "nl"),
        ("paczka znowu nie dotarła", "pl"),
        ("müşteri hizmetleri cevap vermiyor", "tr"),
        ("опять задержали доставку, ужас", "ru"),
        ("أحب هذا الهاتف الجديد", "ar"),
        ("यह फोन बहुत अच्छा है", "hi"),
        ("また配送が遅れてる、最悪", "ja"),
        ("배송이 또 늦어졌어요", "ko"),
        ("这双鞋真好看", "zh"),
    ],
)
def test_short_posts_are_recognised(text: str, language: str) -> None:
    assert detect_language(text) == language
    assert detect_language(text, hint="xx") == language


@pytest.mark.parametrize(
    "text", ["😀😀", "", "https://a.example/der/die/das", "@der_die #das 2024"]
)
def test_what_holds_no_words_has_the_hinted_language_or_none(text: str) -> None:
    assert detect_language(text) == "und"
    assert detect_language(text, "pt-BR") == "pt"


@pytest.mark.parametrize(
    ("hint", "code"),
    [
        ("en", "en"),
        ("pt_BR", "pt"),
        ("IW", "he"),
        ("und", None),
        ("zxx", None),
        ("", None),
        (None, None),
        ("qme", None),
    ],
)
def test_hints_are_taken_for_what_they_are(hint: str | None, code: str | None) -> None:
    assert language_code(hint) == code


@given(st.text(), st.none() | st.text(max_size=5))
def test_detection_never_raises(text: str, hint: str | None) -> None:
    assert 2 <= len(detect_language(text, hint)) <= 3
