"""Honest translations: ways in which people write numbers, dates, times, apologies and names. None may be refused."""

from __future__ import annotations

PAID = "Your order of 12 May was paid: 1,234.50 EUR."
OPEN = "The shop is open from 9 am to 5 pm."
SORRY = "Sorry, we could not find your account."
SAVE = "Save 50% on 3 items within 24 hours."
NOTE = "Note: 5 million people read “The Model”, version 2.0.1."
SOURCES = (PAID, OPEN, SORRY, SAVE, NOTE)

TRANSLATIONS = {
    "de": """Ihre Bestellung vom 12. Mai wurde bezahlt: 1.234,50 €.
        Der Laden ist von 9 bis 17 Uhr geöffnet.
        Leider konnten wir Ihr Konto nicht finden.
        Sparen Sie innerhalb von 24 Stunden 50 % bei drei Artikeln.
        Hinweis: 5 Mio. Menschen lesen „Das Modell“, Version 2.0.1.""",
    "fr": """Votre commande du 12 mai a été payée : 1 234,50 €.
        Le magasin est ouvert de 9 h à 17 h.
        Désolés, nous n’avons pas trouvé votre compte.
        Économisez 50 % sur trois articles sous 24 heures.
        Remarque : 5 millions de personnes lisent « Le Modèle », version 2.0.1.""",
    "es": """Su pedido del 12 de mayo se ha pagado: 1234,50 EUR.
        La tienda abre de 9 de la mañana a 5 de la tarde.
        Lo sentimos, no hemos encontrado su cuenta.
        Ahorre un 50 % en tres artículos en 24 horas.
        Nota: 5 millones de personas leen «El Modelo», versión 2.0.1.""",
    "it": """Il tuo ordine del 12 maggio è stato pagato: 1.234,50 EUR.
        Il negozio è aperto dalle 9 alle 17.
        Spiacenti, non abbiamo trovato il tuo account.
        Risparmia il 50% su tre articoli entro 24 ore.
        Nota: 5 milioni di persone leggono «Il Modello», versione 2.0.1.""",
    "pt": """O seu pedido de 12 de maio foi pago: € 1.234,50.
        A loja está aberta das 9h às 17h.
        Desculpe, não encontramos a sua conta.
        Economize 50% em três itens em 24 horas.
        Nota: 5 milhões de pessoas leem “O Modelo”, versão 2.0.1.""",
    "nl": """Uw bestelling van 12 mei is betaald: € 1.234,50.
        De winkel is open van 9 tot 17 uur.
        Sorry, we konden uw account niet vinden.
        Bespaar binnen 24 uur 50% op drie artikelen.
        Let op: 5 miljoen mensen lezen ‘Het Model’, versie 2.0.1.""",
    "sv": """Din beställning den 12 maj är betald: 1 234,50 EUR.
        Butiken är öppen kl. 9–17.
        Vi kunde tyvärr inte hitta ditt konto.
        Spara 50 % på tre varor inom 24 timmar.
        Obs: 5 miljoner människor läser ”Modellen”, version 2.0.1.""",
    "da": """Din ordre af 12. maj er betalt: 1.234,50 EUR.
        Butikken er åben fra kl. 9 til 17.
        Vi kunne desværre ikke finde din konto.
        Spar 50 % på tre varer inden for 24 timer.
        Bemærk: 5 millioner mennesker læser »Modellen«, version 2.0.1.""",
    "nb": """Bestillingen din fra 12. mai er betalt: 1 234,50 EUR.
        Butikken er åpen fra 9 til 17.
        Vi fant dessverre ikke kontoen din.
        Spar 50 % på tre varer innen 24 timer.
        Merk: 5 millioner mennesker leser «Modellen», versjon 2.0.1.""",
    "fi": """Tilauksesi 12.5. on maksettu: 1 234,50 €.
        Kauppa on avoinna klo 9–17.
        Valitettavasti tiliäsi ei löytynyt.
        Säästä 50 % kolmesta tuotteesta 24 tunnin aikana.
        Huomaa: 5 miljoonaa ihmistä lukee ”Mallia”, versio 2.0.1.""",
    "pl": """Zamówienie z 12 maja zostało opłacone: 1234,50 EUR.
        Sklep jest czynny od 9 do 17.
        Przepraszamy, nie znaleźliśmy Twojego konta.
        Zaoszczędź 50% na trzech produktach w ciągu 24 godzin.
        Uwaga: 5 mln osób czyta „Model”, wersja 2.0.1.""",
    "cs": """Vaše objednávka z 12. května byla zaplacena: 1 234,50 EUR.
        Obchod je otevřen od 9 do 17 hodin.
        Omlouváme se, váš účet jsme nenašli.
        Ušetřete 50 % na třech položkách do 24 hodin.
        Poznámka: 5 milionů lidí čte „Model“, verze 2.0.1.""",
    "sk": """Vaša objednávka z 12. mája bola zaplatená: 1 234,50 EUR.
        Obchod je otvorený od 9.00 do 17.00.
        Ľutujeme, váš účet sme nenašli.
        Ušetrite 50 % na troch položkách do 24 hodín.
        Poznámka: 5 miliónov ľudí číta „Model“, verzia 2.0.1.""",
    "sl": """Vaše naročilo z dne 12. maja je plačano: 1.234,50 EUR.
        Trgovina je odprta od 9. do 17. ure.
        Žal vašega računa nismo našli.
        Prihranite 50 % pri treh izdelkih v 24 urah.
        Opomba: 5 milijonov ljudi bere »Model«, različica 2.0.1.""",
    "hr": """Vaša narudžba od 12. svibnja plaćena je: 1.234,50 EUR.
        Trgovina je otvorena od 9 do 17 sati.
        Nažalost, nismo pronašli vaš račun.
        Uštedite 50 % na tri artikla u roku od 24 sata.
        Napomena: 5 milijuna ljudi čita „Model“, inačica 2.0.1.""",
    "ru": """Ваш заказ от 12 мая оплачен: 1234,50 евро.
        Магазин открыт с 9 до 17 часов.
        К сожалению, мы не нашли ваш аккаунт.
        Сэкономьте 50 % на трёх товарах в течение 24 часов.
        Примечание: 5 миллионов человек читают «Модель», версия 2.0.1.""",
    "uk": """Ваше замовлення від 12 травня оплачено: 1234,50 євро.
        Магазин відкрито з 9:00 до 17:00.
        На жаль, ми не знайшли ваш обліковий запис.
        Заощаджуйте 50 % на трьох товарах протягом 24 годин.
        Примітка: 5 мільйонів людей читають «Модель», версія 2.0.1.""",
    "bg": """Поръчката ви от 12 май е платена: 1234,50 EUR.
        Магазинът работи от 9 до 17 ч.
        За съжаление не намерихме профила ви.
        Спестете 50% от три артикула за 24 часа.
        Забележка: 5 милиона души четат „Моделът“, версия 2.0.1.""",
    "hu": """A május 12-i rendelését kifizették: 1234,50 EUR.
        Az üzlet 9 és 17 óra között tart nyitva.
        Sajnos nem találtuk a fiókját.
        Takarítson meg 50%-ot három terméken 24 órán belül.
        Megjegyzés: 5 millió ember olvassa „A modell” 2.0.1-es verzióját.""",
    "ro": """Comanda dvs. din 12 mai a fost plătită: 1.234,50 EUR.
        Magazinul este deschis între orele 9 și 17.
        Ne pare rău, nu am găsit contul dvs.
        Economisiți 50% la trei articole în 24 de ore.
        Notă: 5 milioane de oameni citesc „Modelul”, versiunea 2.0.1.""",
    "el": """Η παραγγελία σας της 12ης Μαΐου πληρώθηκε: 1.234,50 ευρώ.
        Το κατάστημα είναι ανοιχτό από τις 9 π.μ. έως τις 5 μ.μ.
        Λυπούμαστε, δεν βρήκαμε τον λογαριασμό σας.
        Εξοικονομήστε 50% σε τρία είδη μέσα σε 24 ώρες.
        Σημείωση: 5 εκατομμύρια άνθρωποι διαβάζουν «Το Μοντέλο», έκδοση 2.0.1.""",
    "tr": """12 Mayıs tarihli siparişiniz ödendi: 1.234,50 avro.
        Mağaza 9.00-17.00 saatleri arasında açıktır.
        Üzgünüz, hesabınızı bulamadık.
        24 saat içinde üç üründe %50 tasarruf edin.
        Not: 5 milyon kişi “Model”i okuyor, sürüm 2.0.1.""",
    "ar": """تم دفع قيمة طلبك بتاريخ ١٢ مايو: ١٬٢٣٤٫٥٠ يورو.
        المتجر مفتوح من ٩ صباحًا إلى ٥ مساءً.
        عذرًا، لم نتمكن من العثور على حسابك.
        وفّر ٥٠٪ على ثلاث سلع خلال ٢٤ ساعة.
        ملاحظة: ٥ ملايين شخص يقرؤون «النموذج»، الإصدار ٢.٠.١.""",
    "he": """הזמנתך מ-12 במאי שולמה: 1,234.50 אירו.
        החנות פתוחה מ-9:00 עד 17:00.
        מצטערים, לא מצאנו את חשבונך.
        חסכו 50% על שלושה פריטים תוך 24 שעות.
        הערה: 5 מיליון אנשים קוראים את ”המודל”, גרסה 2.0.1.""",
    "fa": """سفارش ۱۲ مه شما پرداخت شد: ۱٬۲۳۴٫۵۰ یورو.
        فروشگاه از ۹ صبح تا ۵ بعدازظهر باز است.
        متأسفیم، حساب شما را پیدا نکردیم.
        در ۲۴ ساعت روی سه کالا ۵۰٪ صرفه‌جویی کنید.
        توجه: ۵ میلیون نفر «مدل» را می‌خوانند، نسخهٔ ۲.۰.۱.""",
    "hi": """12 मई का आपका ऑर्डर चुका दिया गया: 1,234.50 यूरो।
        दुकान सुबह 9 बजे से शाम 5 बजे तक खुली है।
        क्षमा करें, हमें आपका खाता नहीं मिला।
        24 घंटों में तीन वस्तुओं पर 50% बचाएँ।
        नोट: 50 लाख लोग “द मॉडल” पढ़ते हैं, संस्करण 2.0.1।""",
    "th": """คำสั่งซื้อวันที่ 12 พฤษภาคมของคุณชำระแล้ว: 1,234.50 ยูโร
        ร้านเปิดตั้งแต่ 9:00 ถึง 17:00 น.
        ขออภัย เราไม่พบบัญชีของคุณ
        ประหยัด 50% สำหรับสินค้าสามรายการภายใน 24 ชั่วโมง
        หมายเหตุ: ผู้คน 5 ล้านคนอ่าน “เดอะโมเดล” เวอร์ชัน 2.0.1""",
    "vi": """Đơn hàng ngày 12 tháng 5 của bạn đã được thanh toán: 1.234,50 EUR.
        Cửa hàng mở cửa từ 9 giờ sáng đến 5 giờ chiều.
        Rất tiếc, chúng tôi không tìm thấy tài khoản của bạn.
        Tiết kiệm 50% cho ba mặt hàng trong 24 giờ.
        Lưu ý: 5 triệu người đọc “Người mẫu”, phiên bản 2.0.1.""",
    "id": """Pesanan Anda tanggal 12 Mei telah dibayar: 1.234,50 EUR.
        Toko buka dari pukul 9 pagi sampai 5 sore.
        Maaf, kami tidak menemukan akun Anda.
        Hemat 50% untuk tiga barang dalam 24 jam.
        Catatan: 5 juta orang membaca “Sang Model”, versi 2.0.1.""",
    "zh-Hans": """您5月12日的订单已付款：1,234.50欧元。
        商店营业时间为上午9点至下午5点。
        抱歉，我们找不到您的账户。
        24小时内购买三件商品可节省50%。
        注意：有500万人阅读《模型》，版本2.0.1。""",
    "zh-Hant": """您5月12日的訂單已付款：1,234.50歐元。
        商店營業時間為上午9點至下午5點。
        抱歉，我們找不到您的帳戶。
        24小時內購買三件商品可節省50%。
        注意：有500萬人閱讀《模型》，版本2.0.1。""",
    "ja": """5月12日のご注文のお支払いが完了しました：1,234.50ユーロ。
        営業時間は午前9時から午後5時までです。
        申し訳ありませんが、アカウントが見つかりませんでした。
        24時間以内に3点のご購入で50%お得です。
        注：500万人が「モデル」を読んでいます。バージョン2.0.1。""",
    "ko": """5월 12일 주문이 결제되었습니다: 1,234.50유로.
        매장은 오전 9시부터 오후 5시까지 영업합니다.
        죄송합니다. 계정을 찾을 수 없습니다.
        24시간 안에 세 가지 상품을 50% 할인받으세요.
        참고: 500만 명이 ‘모델’을 읽습니다. 버전 2.0.1.""",
}
HONEST = [
    (source, line.strip(), language)
    for language, text in TRANSLATIONS.items()
    for source, line in zip(SOURCES, text.splitlines(), strict=True)
]
"""The source, the translation, and its language."""
