"""Which glossary terms occur in a text, and whether its translation has their translations."""

import pytest

from stapel_agent.translation.glossary import Glossary
from stapel_agent.translation.word_forms import stem_list
from tests.rows import each_row
from tests.steps import grows_linearly


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Your cart is empty", ["cart"]),
        ("Your Carts", ["cart"]),
        ("A shopping  cart", ["cart", "shopping cart"]),
        ("The cartoon", []),
        ("購物車是空的", ["購物車"]),
        ("", []),
    ],
)
def test_terms_in(text, found):
    """Terms are found in any case and with an ending, but not within other words."""
    terms = {"cart": "Warenkorb", "shopping cart": "Einkaufswagen", "購物車": "Warenkorb"}
    assert list(Glossary(terms, "de").terms_in(text)) == found


INFLECTED = [
    ("de", "Warenkorb", "Ihr Warenkorb ist leer"),
    ("de", "Warenkorb", "Der Warenkorbinhalt"),
    ("fr", "panier d'achat", "Vos paniers d'achats"),
    ("fi", "ostoskori", "Lisää ostoskoriin"),
    ("fi", "katu", "Asun kadun varrella"),
    ("fi", "kauppa", "Mene kaupan sivulle"),
    ("fi", "tilaus", "Tilauksesi on valmis"),
    ("fi", "asiakas", "Asiakkaan tiedot"),
    ("fi", "käyttäjä", "Käyttäjätilin asetukset"),
    ("fi", "hattu", "Uuden hatun hinta"),
    ("fi", "sähköposti", "sähköpostiosoitteesi"),
    ("tr", "sepet", "Sepetinizdeki ürünler"),
    ("tr", "kitap", "Kitabın adı"),
    ("tr", "şehir", "Şehrinizi seçin"),
    ("tr", "ağaç", "Ağacı kes"),
    ("tr", "kapı", "KAPIYI AÇ"),
    ("tr", "hesap", "Hesabınıza girin"),
    ("tr", "isim", "İsmini yaz"),
    ("cs", "košík", "V košíku je"),
    ("cs", "účet", "Stav účtu"),
    ("cs", "kniha", "V této knize"),
    ("cs", "obrázek", "Velikost obrázku"),
    ("pl", "książka", "W książce"),
    ("pl", "koszyk", "W koszyku"),
    ("pl", "ręka", "W ręce"),
    ("uk", "книга", "У книзі"),
    ("uk", "кошик", "У кошику"),
    ("ru", "подарок", "Нет подарка"),
    ("ru", "корзина", "В корзинах"),
    ("sk", "objednávka", "Vaše objednávky"),
    ("bg", "количка", "Количката ви"),
    ("hr", "košarica", "U košarici"),
    ("sr", "корпа", "У корпи"),
    ("lv", "grozs", "Jūsu grozā"),
    ("lt", "krepšelis", "Jūsų krepšelyje"),
    ("he", "עגלה", "העגלה שלך"),
    ("he", "עגלה", "עגלת הקניות"),
    ("ar", "سلة", "سلتك فارغة"),
    ("ar", "طلب", "طلباتك"),
    ("ko", "장바구니", "장바구니가 비어"),
    ("ko", "저장하다", "저장합니다"),
    ("ja", "カート", "カートに入れる"),
    ("ja", "削除する", "削除しました"),
    ("ja", "戻る", "戻って"),
    ("zh", "購物車", "您的購物車"),
    ("th", "ตะกร้า", "ตะกร้าของคุณ"),
    ("hu", "kosár", "A kosarad üres"),
    ("hu", "ló", "A lovak"),
    ("et", "ostukorv", "Teie ostukorvis"),
    ("sv", "kundvagn", "Kundvagnen är tom"),
    ("de", "Warenkorb", "Warenkörben"),
    ("de", "Haus", "Häuser"),
    ("fr", "cheval", "Les chevaux"),
    ("es", "luz", "Las luces"),
    ("it", "amico", "Gli amici"),
    ("pt", "ação", "As ações"),
    ("nl", "winkelwagen", "winkelwagens"),
    ("hi", "टोकरी", "आपकी टोकरियाँ"),
    ("el", "καλάθι", "Τα καλάθια σας"),
    ("cy", "cath", "Y gath"),
    ("ga", "bosca", "an bhosca"),
    ("eu", "saski", "Zure saskian"),
    ("vi", "giỏ hàng", "Giỏ hàng của bạn"),
    ("id", "keranjang", "keranjangmu"),
    ("ka", "კალათა", "თქვენს კალათაში"),
    ("hy", "զամբյուղ", "Ձեր զամբյուղը"),
    ("kk", "кітап", "кітабым"),
    ("mn", "сагс", "Таны сагсанд"),
]


@each_row(INFLECTED)
def test_missed__inflected(to, wanted, translation):
    """A term counts in any form and in compounds, with or without a stemmer for the language."""
    assert Glossary({"term": wanted}, to).missed({"term": wanted}, translation) == []


OTHERS = [
    ("fi", "ostoskori", "Kassisi on tyhjä"),
    ("fi", "katu", "Kauppa on auki"),
    ("tr", "sepet", "Çantanız boş"),
    ("tr", "kitap", "Kitle"),
    ("tr", "şehir", "Sahil güzel"),
    ("cs", "košík", "Taška je prázdná"),
    ("cs", "kniha", "Knoflík"),
    ("ja", "ショッピングカート", "ショッピングの楽しみ"),
    ("ja", "カート", "ガートルード"),
    ("ja", "削除する", "消しました"),
    ("ko", "장바구니", "카트가 비어"),
    ("de", "Warenkorb", "Tasche"),
    ("de", "Haus", "Maus"),
    ("de", "Rat", "Das Rad"),
    ("ru", "корзина", "Сумка пуста"),
    ("ru", "подарок", "Подушка"),
    ("ar", "سلة", "الحقيبة"),
    ("uk", "книга", "У кишені"),
    ("th", "ตะกร้า", "รถเข็น"),
    ("zh", "購物車", "您的籃子"),
    ("de", "Bild", "Bald fertig"),
    ("en", "file", "A fill"),
]


@each_row(OTHERS)
def test_missed__other_word(to, wanted, translation):
    """Another word does not count, even if it looks similar."""
    assert Glossary({"term": wanted}, to).missed({"term": wanted}, translation) == ["term"]


@pytest.mark.language
def test_terms_in__inflected():
    """An inflected term in the text is found by its stem, if the language of the text is known."""
    terms = {"корзина": "cart", "новый заказ": "new order"}
    text = "В вашей корзине есть новые заказы"
    assert Glossary(terms, "en", "ru").terms_in(text) == terms
    assert Glossary(terms, "en").terms_in(text) == {}


@pytest.mark.parametrize("part", ["а", "kn", "ng", "ção ", "カ", "a ", "ch"])
def test_missed__linear(part):
    """A long text is compared in linear time."""

    def missed(size, to):
        stem_list.cache_clear()
        return Glossary({"term": "kniha"}, to).missed({"term": "kniha"}, part * size)

    for to in ("cs", "pt", "cy", "ja", "fi"):
        assert grows_linearly(lambda size, to=to: missed(size, to), 500)
