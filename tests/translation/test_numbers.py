"""Numbers, dates, amounts and units of translations."""

import pytest

from stapel_agent.translation.numbers import changed

SAME = [
    ("$5M raised", "5.000.000 $ gesammelt", "en", "de"),
    ("The 80s", "Die Achtziger", "en", "de"),
    ("at 17:00", "at 5:00 PM", "de", "en"),
    ("1.234.567,89 EUR", "1,234,567.89 EUR", "de", "en"),
    ("1,234.5 items", "1.234,5 Elemente", "en", "de"),
    ("12 May 2024", "12. Mai 2024", "en", "de"),
    ("May 12, 2024", "12.05.2024", "en", "de"),
    ("at 5 pm", "um 17 Uhr", "en", "de"),
    ("at 5:30 PM", "à 17h30", "en", "fr"),
    ("12 am", "0 Uhr", "en", "de"),
    ("open 24h", "24 Std. offen", "en", "de"),
    ("12 345 people", "12.345 Leute", "en", "de"),
    ("Two files", "2 Dateien", "en", "de"),
    ("1 file", "eine Datei", "en", "de"),
    ("1.5 million users", "1.500.000 Nutzer", "en", "de"),
    ("150,000 users", "15万用户", "en", "zh"),
    ("Half of them", "50 % d'entre eux", "en", "fr"),
    ("page 12 of 30", "الصفحة ١٢ من ٣٠", "en", "ar"),
    ("version 1.2.3", "Version 1.2.3", "en", "de"),
    ("1,000 files", "1 000 fichiers", "en", "fr"),
    ("1st place", "erster Platz", "en", "de"),
    ("the 21st century", "das 21. Jahrhundert", "en", "de"),
    ("in 1999", "im Jahr 1999", "en", "de"),
    ("twenty users", "20 Benutzer", "en", "de"),
    ("a hundred and eighty", "180", "en", "de"),
    ("5 GB", "5 Go", "en", "fr"),
    ("$5", "5 $", "en", "de"),
    ("$5 per user", "5 USD pro Benutzer", "en", "de"),
    ("3/4 cup", "¾ Tasse", "en", "de"),
    ("24/7 support", "Support rund um die Uhr", "en", "de"),
    ("07/04/2024", "4 juillet 2024", "en", "fr"),
    ("Summer '24", "Sommer 2024", "en", "de"),
    ("1,00,000 rupees", "100,000 rupees", "hi", "en"),
    ("2024", "๒๕๖๗", "en", "th"),
    ("180 km", "180 км", "en", "ru"),
    ("The 1990s", "Die 1990er", "en", "de"),
    ("50% off", "%50 indirim", "en", "tr"),
    ("0.5 s", "0,5 s", "en", "de"),
    ("IPv4 and MP3", "IPv4 und MP3", "en", "de"),
    ("a dozen", "12", "en", "de"),
    ("1.234 kg", "1,234 kg", "en", "de"),
    ("10:00 AM to 2:00 PM", "10:00 bis 14:00 Uhr", "en", "de"),
    ("$1.99", "1,99 $", "en", "de"),
    ("4K video", "4K-Video", "en", "de"),
    ("3.5 out of 5", "3,5 von 5", "en", "de"),
    ("5 thousand", "5000", "en", "de"),
    ("100 km/h", "100 км/ч", "en", "ru"),
    ("2+ years of 10", "über 2 Jahre von 10", "en", "de"),
    ("300 hundred, 12/24", "300 hundert, 12/24", "en", "de"),
    ("180 EUR", "180 €", "en", "de"),
    ("180 euros", "180 €", "en", "de"),
    ("180 dollars", "180 US-Dollar", "en", "de"),
]
CHANGED = [
    ("5 m high", "5000 hoch", "en", "de"),
    ("Call 911", "Rufen Sie 112 an", "en", "de"),
    ("180 EUR before 12 May", "360 EUR vor dem 21. Mai", "en", "de"),
    ("180 EUR", "360 EUR", "en", "de"),
    ("180 EUR", "180 USD", "en", "de"),
    ("5 files", "6 Dateien", "en", "de"),
    ("12 May", "21. Mai", "en", "de"),
    ("1,500 EUR", "1,5 EUR", "en", "de"),
    ("180 EUR", "EUR", "en", "de"),
    ("10 MB", "10 GB", "en", "de"),
    ("10 km", "10 Meilen", "en", "de"),
    ("Delete", "Löschen 360", "en", "de"),
    ("1.5 EUR", "15 EUR", "en", "de"),
    ("20 °C", "20 °F", "en", "de"),
    ("1,000 files", "1 Datei", "en", "de"),
    ("10%", "100%", "en", "de"),
    ("in 2024", "in 2025", "en", "de"),
    ("3 of 7", "7 von 9", "en", "de"),
    ("1 million", "2 Millionen", "en", "de"),
    ("call 555-1234", "ruf 555-4321 an", "en", "de"),
    ("€5", "$5", "en", "de"),
    ("room 101", "Zimmer 102", "en", "de"),
    ("180 EUR", "١٨١ يورو", "en", "ar"),
    ("at 5 pm", "um 18 Uhr", "en", "de"),
    ("30 days", "30000 Tage", "en", "de"),
    ("1,5 kg", "15 kg", "de", "en"),
    ("1990", "1991", "en", "de"),
    ("100 users", "10 Benutzer", "en", "de"),
]


@pytest.mark.parametrize(("source", "translation", "from_lang", "to"), SAME)
def test_changed__none(source, translation, from_lang, to):
    """What a language writes in its own way, counts otherwise or says in words is the same figure."""
    assert changed(source, translation, from_lang, to) is None


@pytest.mark.parametrize(("source", "translation", "from_lang", "to"), CHANGED)
def test_changed(source, translation, from_lang, to):
    """Another number, date, amount or unit is told."""
    assert changed(source, translation, from_lang, to)


@pytest.mark.parametrize("part", ["1", "1 ", "1,", "123 ", "1.", "two ", "zig", "a1", "٣ "])
def test_changed__linear(part):
    """Long texts of nothing but figures are compared, or left alone, without end of work."""
    text = part * (50_000 // len(part))
    assert changed(text, f"{text} x", "en", "de") is None
