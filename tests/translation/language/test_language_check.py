"""Texts that come back untranslated, or in another language."""

import pytest

from stapel_agent.translation.language.language_check import is_unchanged, other_language
from tests.rows import each_row

CART = "Your shopping cart is empty"


@pytest.mark.parametrize(
    "source",
    [CART, "Sign in", "YOUR CART IS NOW EMPTY", "See the server logs.", "{n} files <b>left</b>", "購物車是空的"],
)
def test_is_unchanged(source):
    """Several words that come back unchanged are untranslated."""
    assert is_unchanged(source, source, "en", "de")


@pytest.mark.parametrize(
    "translation", ["Your Shopping Cart Is Empty", f"{CART}!", f" {CART}.", "your shopping cart is empty"]
)
def test_is_unchanged__case(translation):
    """Other capitals or another punctuation mark are not a translation."""
    assert is_unchanged(CART, translation, "en", "de")


@pytest.mark.parametrize(
    ("source", "from_lang", "to"),
    [
        ("Google Maps", "en", "de"),
        ("OK", "en", "de"),
        ("pip-install --user", "en", "de"),
        ("⟦1⟧ of ⟦2⟧", "en", "de"),
        (CART, "en", "en-GB"),
        ("Ihr Warenkorb ist leider noch leer", "auto", "de"),
    ],
)
def test_is_unchanged__exempt(source, from_lang, to):
    """Names, codes, single words, and texts that are already in the language may stay unchanged."""
    assert not is_unchanged(source, source, from_lang, to)


@pytest.mark.language
@each_row(
    [
        ("Votre panier est vide pour le moment", "de", False),
        ("Your basket has nothing in it right now", "de", True),
        ("Ваша корзина сейчас пуста", "de", False),
        ("Ihr Warenkorb ist leider noch leer", "el", False),
        ("Il tuo carrello è ancora vuoto", "ja", False),
        ("Your basket has nothing in it right now", "ru", True),
        ("Your shopping cart ist empty, leider", "ru", True),
        ("سلة التسوق فارغة", "he", False),
        ("日本", "de", False),
        ("Корзина", "de", False),
        ("Tu carrito está vacío", "dz", True),
        ("आपकी टोकरी खाली है", "ast", False),
        ("Ваша корпа је празна", "sr-Latn", False),
        ("Ваша корпа је празна", "sr@latin", False),
        ("Vaša korpa je prazna", "sr-Cyrl", True),
        ("您的购物车没有内容，请选择", "zh-Hant", False),
        ("您的购物车没有内容，请选择", "zh_TW", False),
        ("您的購物車沒有內容，請選擇", "zh-Hans", False),
        ("您的購物車沒有內容，請選擇", "zh-CN", False),
        ("買い物かごは空です", "zh", False),
        ("您的购物车是空的", "ko", False),
        ("장바구니가 비어 있습니다", "ja", False),
        ("O seu carrinho de compras está vazio neste momento, adicione alguns produtos ao carrinho", "es", False),
    ]
)
def test_other_language(translation, to, is_source):
    """Another language is detected by its words and letters, and the source's is distinguished from a third one."""
    remark, found = other_language(CART, translation, "en", to)
    assert (bool(remark), found) == (True, is_source)


@each_row(
    [
        ("Ihr Warenkorb ist im Moment leer", "de"),
        ("Din indkøbskurv er tom lige nu", "da"),
        ("O teu carro da compra está baleiro", "gl"),
        ("Google Maps", "el"),
        ("ytpme si trac gnippohs ruoy", "eo"),
        ("YOUR SHOPPING CART IS EMPTY", "de"),
        ("Vaša korpa je trenutno prazna", "sr-Latn"),
        ("買い物かごは空です", "ja"),
        ("購入履歴", "ja"),
        ("您的購物車", "zh"),
        ("您的购物车", "zh"),
        ("长城", "zh-Hans"),
        ("장바구니", "ko"),
        ("SQL", "ru"),
        ("Wi-Fi", "ja"),
        ("A0x2", "my"),
        ("Ваша корпа је празна", "sr"),
        ("Vaša korpa je prazna", "sr"),
        ("Savatingiz boʻsh", "uz"),
        ("Vaš košík je momentálne prázdny, pridajte doň nejaké produkty", "sk"),
        ("Váš košík je momentálně prázdný, přidejte do něj nějaké produkty", "cs"),
        ("Handlekurven din er tom akkurat nå, legg noen varer i handlekurven", "nb"),
        ("Handlekorga di er tom no, legg nokre varer i handlekorga di", "nn"),
        ("Indkøbskurven er tom lige nu, læg nogle varer i indkøbskurven", "da"),
        ("Vaša košarica je trenutno prazna, dodajte neke proizvode", "hr"),
        ("Vaša korpa je trenutno prazna, dodajte neke proizvode", "bs"),
        ("Keranjang belanja Anda kosong saat ini, tambahkan beberapa produk", "id"),
        ("Troli beli-belah anda kosong pada masa ini, sila tambah beberapa produk", "ms"),
        ("Tu carrito está vacío en este momento, añade algunos productos al carrito", "es"),
        ("O teu carriño está baleiro neste momento, engade algúns produtos ao carriño", "gl"),
        ("O seu carrinho está vazio neste momento, adicione alguns produtos", "pt"),
        ("Niemahčyma zapisać fajł buferu, sprabujcie jašče raz paźniej", "be@latin"),
        ("Votre panier", "fr"),
        ("معرّف توافق إشارة DV bl", "ar"),
        ("ڕەنگێک لەسەر تابلۆکە هەڵبژێرە", "ku"),
        (
            "如果你喺播放嗰陣撞到問題，唔該熄咗呢個選項，等個系統自己處理啲字幕，咁樣就唔使等咁耐，而且你仲可以喺其他裝置度睇返之前嘅影片同埋節目嘅紀錄。",
            "zh-HK",
        ),
    ]
)
def test_other_language__none(translation, to):
    """A translation in its own language, a close relative of it, a name, or one that no detector can judge passes."""
    assert other_language(CART, translation, "en", to) is None
