"""Which language a text is in, and the forms its words are also found by: stems, folded spellings, parts.

Everything here only adds terms: a word keeps the term it has without it, so what older files hold stays findable.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from remanence.domain.unicode import normalize

# Words that say nothing about a memory's subject. "may" stays: it is also a month. "no" and "not" stay: they matter.
ENGLISH: Final = frozenset(
    """a about after again all also am an and any are as at be because been before being both but by can could did do
    does doing down during each few for from further had has have having he her here hers herself him himself his how
    i if in into is it its itself just me more most my myself of off on once only or other our ours ourselves out over
    own same she should so some such than that the their theirs them themselves then there these they this those
    through to too under until up us very was we were what when where which while who whom whose why will with would
    you your yours yourself yourselves s t d ll m re ve don didn doesn isn wasn aren weren won wouldn couldn shouldn
    hasn haven""".split()
)

# Function words by Snowball's name of the language, accents off as in folded words. They tell the language, and say
# nothing about a subject. Negations are missing on purpose: they matter.
FUNCTION_WORDS: Final = MappingProxyType(
    {
        language: frozenset(listed.split())
        for language, listed in {
            "german": """der die das den dem des ein eine einen einem einer eines und oder aber ich du er sie es wir ihr
            mich dich uns euch ihm ihn ihnen mein meine meinen meiner dein deine sein seine seinen seiner ihre ihren
            ihrer unser unsere ist sind war waren bin bist wird werden wurde wurden hat haben hatte hatten habe mit von
            vom zu zum zur auf aus bei beim nach fur uber vor durch um am im in an als wie wenn dass ob weil auch noch
            nur schon sehr so doch was wer wem wen wo wann warum welche welcher welches welchen wohin dieser diese
            dieses diesen sich man da dort hier kann konnen konnte muss mussen soll sollen will wollen""",
            "french": """le la les un une des du de au aux et ou mais je tu il elle on nous vous ils elles me te se lui
            leur leurs mon ma mes ton ta tes son sa ses notre votre nos vos ce cet cette ces est sont etait etaient suis
            sommes etes ai as a avons avez ont avait avaient etre avoir qui que qu quoi dont dans sur avec pour par
            chez en y l d j s m t comment quand pourquoi quel quelle quels quelles si comme tres aussi""",
            "spanish": """el la los las un una unos unas de del al y e o u pero yo tu ella nosotros ellos ellas me te se
            le les lo nos os mi mis tus su sus nuestro nuestra este esta estos estas ese esa esos esas es son era eran
            fue fueron ser estar estoy estan estaba ha han he hemos habia hay que quien quienes cual cuales cuando
            donde como cuanto cuantos porque por para con sobre entre hasta desde en muy tambien ya a""",
            "portuguese": """o a os as um uma uns umas de do da dos das em no na nos nas ao aos pelo pela pelos pelas
            por para com e ou mas eu tu ele ela voce voces eles elas me te se lhe lhes meu minha meus minhas teu tua seu
            sua seus suas nosso nossa este esta estes estas esse essa isso isto aquele aquela sao era eram foi foram ser
            estar estao estava tem tinha ha que quem qual quais quando onde como porque quanto muito tambem ja""",
            "italian": """il lo la i gli le un uno una di del dello della dei degli delle dell a al allo alla ai agli
            alle all da dal dalla dai dalle dall in nel nello nella nei negli nelle nell su sul sulla sui sulle sull con
            per tra fra e ed o ma io tu lui lei noi voi loro mi ti si ci vi me te mio mia miei mie tuo tua tuoi tue suo
            sua suoi sue nostro nostra vostro vostra questo questa questi queste quello quella quelli quelle sono sei
            siamo siete era erano ero ha ho hai abbiamo hanno aveva essere stato stata che chi cui cosa quale quali
            quando dove come perche quanto anche molto gia se l d""",
            "dutch": """de het een en of maar ik jij je u hij zij ze wij we jullie mij me jou hem haar ons hun hen mijn
            jouw zijn onze dit dat deze die is was waren ben bent wordt worden werd werden heeft hebben had hadden heb
            hebt van voor met op in aan bij naar uit over onder door om te tot als dan dus ook nog al wel er hier daar
            wat wie waar wanneer waarom hoe welke kan kunnen moet moeten zal zullen wil zou""",
            "swedish": """och att det som en ett den de i pa av for med till fran om ar var varit vara har hade jag du
            han hon vi ni dem mig dig sig oss min mitt mina din ditt dina sin sitt sina hans hennes vart deras denna
            detta dessa vad vem nar varfor hur vilken vilket vilka men eller sa ocksa bara kan ska skulle vill blev blir
            dar under over efter""",
            "danish": """og at det som en et den de i pa af for med til fra om er var været være har havde jeg
            du han hun
            vi dem mig dig sig os min mit mine din dit dine sin sit sine hans hendes vores deres denne dette disse hvad
            hvem hvor hvornar hvorfor hvordan hvilken hvilket hvilke men eller ogsa kun kan skal skulle vil blev bliver
            der her efter under over""",
            "norwegian": """og at det som en et ei den de i pa av for med til fra om er var vært være har hadde jeg du
            han hun vi dere dem meg deg seg oss min mitt mine din ditt dine sin sitt sine hans hennes vart deres denne
            dette disse hva hvem hvor nar hvorfor hvordan hvilken hvilket hvilke men eller ogsa bare kan skal skulle vil
            ble blir der her etter under over""",
            "finnish": """ja tai mutta on oli ovat olivat olen olet olemme ollut olla mina sina han me te he minun sinun
            hanen meidan teidan heidan minulla sinulla hanella tama tuo se nama nuo ne joka jotka mita mika kuka kun jos
            kuin etta koska missa mihin mista milloin miksi miten myos vain jo niin sen siita siina taman tassa
            kanssa""",
            "romanian": """si sau dar eu tu el ea noi voi ei ele ma te se mi ti ii i un o unui unei cel cea cei cele al
            ale ai a in din la pe cu de pentru prin despre este sunt era erau fost fi am are avem aveti au ce cine care
            cand unde cum cat acest aceasta acesti aceste lui lor mea meu sa ca daca foarte""",
            "turkish": """ve veya ama ben sen o biz siz onlar bana sana ona bize size beni seni onu benim senin onun
            bizim bu su bir icin ile gibi kadar daha en cok de da ki mi mu ne kim nerede nereye nasıl neden hangi olan
            olarak idi her""",
            "hungarian": """a az egy es vagy de hogy en te o mi ti engem nekem neked neki van vannak volt voltak lesz
            lenne ez ezt ennek azt annak aki ami amely mit ki kit hol hova mikor miert hogyan meg is csak mar mint ha
            akkor ott itt""",
            "catalan": """el la els les un una uns unes de del dels al als i o pero jo tu ell ella nosaltres ells em et
            es ens us meu meva teu teva seu seva aquest aquesta aquests aquestes son era eren va van ser estar ha he han
            amb per en que qui quan on com perque molt tambe ja si a l d""",
            "polish": """i oraz lub ale ja ty on ona ono my wy oni one mnie ciebie jego jej nas was ich mi mu
            go moj moja
            moje twoj twoja ten ta to te ci tego tej tych jest sa był była było byli byc bedzie ma maja mam w we z ze na
            do od po za o u przez dla przy pod nad przed co kto gdzie kiedy dlaczego jak ktory ktora ktore czy zeby bo
            gdy jesli tez juz tylko sie""",
            "czech": """a i nebo ale ja ty on ona ono my vy oni me te ho mu ji nas vas jich muj moje tvuj jeho jeji ten
            ta to ti toho tech je jsou byl byla bylo byli byt bude ma maji mam v ve s se z ze na do od po za o u pro pri
            pod nad pred co kdo kde kdy proc jak ktery ktera ktere aby kdyz jestli taky take uz jen si jsem jsme jsi""",
            "indonesian": """yang dan atau tetapi di ke dari untuk dengan pada dalam oleh saya aku kamu anda dia kami
            kita mereka ini itu adalah akan sudah telah sedang bisa dapat ada apa siapa mana kapan kenapa mengapa
            bagaimana juga hanya sangat""",
            "yiddish": """איז און די דער דאס דעם פון מיט אין אויף צו איך דו ער זי מיר איר זיי האט האבן זיין
            וואס ווער וואו""",
        }.items()
    }
)

# The same for languages that their script tells well enough.
_SCRIPT_WORDS: Final = frozenset(
    """и в во на я что он она они мы вы ты с со как а то это по но к у из за от для о об же бы ли мне меня его ее ей их
    им нас вас был была было были быть есть где когда кто чем или если так уже
    και να το τα του της των ο η οι τον την τους τις στο στη στην στον σε με για από που πως είναι ήταν ένα ένασ μια τι
    ποιος ποια πού πότε θα ή απο ειναι ηταν ενα ποιοσ που ποτε τισ τησ τουσ πωσ
    في من على إلى الى عن مع هذا هذه ذلك التي الذي هو هي كان كانت أن ان إن ما ماذا متى أين اين كيف هل و أو او ثم قد
    در به از که را این است با برای آن و یا چه کی کجا
    के का की को से में है हैं था थी थे और या पर यह वह ये वे ने भी हो कि जो क्या कौन कब कहाँ कैसे मैं हम तुम आप
    של את על אל עם הוא היא הם אני אתה אנחנו זה זאת מה מי איפה מתי או גם כי אם היה הייתה""".casefold().split()
)

# Words of those lists that are also English words: alone they tell no language.
_ALSO_ENGLISH: Final = frozenset(
    """ada al ar au bare ben bin biz bo ca care cat che chi co come comment dai dan dell della den dia die dig dim din
    dina dine dont door dot dove ed ella elle em en era et far fi fin fur go hans har hat hay hem hen hun il im io is it
    je jo jos jou kan kim kit la le les lo los lui man mar mare mat meg men mes met mi mia mika mina mine mit mon mu na
    ne ni nog non nos ob ole om one os over pa pan par pe per pod pro sa sana sang see ses si sie sin sine sit size son
    sons sur te ten ti till ton tot tu ty uma un under us vain van var vi war wat we wie yang ya""".split()
)

_LANGUAGES_OF: Final[dict[str, tuple[str, ...]]] = {
    word: tuple(language for language, listed in FUNCTION_WORDS.items() if word in listed)
    for word in sorted(frozenset[str]().union(*FUNCTION_WORDS.values()) - ENGLISH - _ALSO_ENGLISH)
    if len(word) > 1
}
_TELLING_WORDS: Final = frozenset(_LANGUAGES_OF)
# Letters that few languages have. All of them together count for one function word.
_LETTERS: Final[dict[str, tuple[str, ...]]] = {
    letter: tuple(languages.split())
    for letters, languages in {
        "ß": "german",
        "ä": "german swedish finnish",
        "ö": "german swedish finnish turkish hungarian",
        "ü": "german turkish hungarian",
        "å": "swedish danish norwegian",
        "æø": "danish norwegian",
        "ñ¿¡": "spanish",
        "ãõ": "portuguese",
        "ç": "french portuguese turkish catalan",
        "œêûù": "french",
        "è": "french italian catalan",
        "ìò": "italian",
        "ășțţ": "romanian",
        "ığş": "turkish",
        "őű": "hungarian",
        "łąęśżźć": "polish",
        "ěřůčšž": "czech",
    }.items()
    for letter in letters
}

_VIETNAMESE: Final = re.compile("[ơưạ-ỹ]")
_CYRILLIC, _GREEK, _ARABIC, _HEBREW, _DEVANAGARI, _INDIC = (
    re.compile(ranges)
    for ranges in (
        "[\u0400-\u052f\u1c80-\u1c8f\ua640-\ua69f]",
        "[\u0370-\u03ff\u1f00-\u1fff]",
        "[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff]",
        "[\u0590-\u05ff]",
        "[\u0900-\u097f]",
        "[\u0980-\u0dff]",
    )
)
_ARMENIAN: Final = re.compile("[\u0530-\u058f]")
_TAMIL: Final = re.compile("[\u0b80-\u0bff]")
_HANGUL: Final = re.compile("[\uac00-\ud7a3]")
_NOT_LATIN: Final = re.compile(
    "[\u0370-\u1dff\u1f00-\u1fff\u2c00-\ua6ff\ua800-\uaaff\uabc0-\ufaff\ufb13-\ufdff\ufe70-\uffdc]"
)
_PIECES_OF_MIXED: Final = re.compile(r"[a-z0-9]+|[^\x00-\x7f]+")

_NOT_RUSSIAN: Final = re.compile(
    "[іїєґўјљњѓќѕәғқңөұүһӣӯҳҷ]"  # Ukrainian, Belarusian, Macedonian, Kazakh, Tajik
)
_SERBIAN: Final = re.compile("[ђћџ]")
_PERSIAN: Final = re.compile("[پچژگکی]")
_URDU: Final = re.compile("[ٹڈڑےہھںٺڄڦ]")  # and its neighbours

# Latin letters that are no letter with an accent, as a keyboard without them writes them.
_PLAIN: Final = str.maketrans(
    {"ı": "i", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ŋ": "n"}
)
_YO: Final = str.maketrans("ёѐѝ", "ееи")
_ARABIC_SPELLINGS: Final = str.maketrans("أإآٱىیېکڪةۀەہھؤئ", "ااااييي" + "كك" + "ههههه" + "وي")
_TATWEEL: Final = "\u0640"
_TO_PERSIAN: Final = str.maketrans("يىك", "ییک")
_NUKTA: Final = dict.fromkeys([0x93C, 0x9BC, 0xA3C, 0xABC, 0xB3C, 0xCBC])
_NASAL: Final = re.compile("[ङञणनम]\u094d(?=[\u0915-\u0939])")  # हिन्दी is also written हिंदी

# What follows a Korean noun, longest first.
_PARTICLES: Final = re.compile(
    "(?<=.)(?:에서는|에게서|으로는|이라고|까지는|에서|에게|한테|으로|까지|부터|처럼|보다|마다|밖에|이나|이랑|하고|께서|라고|조차|마저|"
    "에는|에도|은|는|이|가|을|를|의|에|도|와|과|로|만|랑|나|야)$"
)


def detect(words: Collection[str], text: str) -> str | None:
    """The language of a text with these folded words, in Snowball's naming; None for English, or where unsure.

    It takes at least two signs, function words above all, and more of them than there are English stop words.
    """
    if _TELLING_WORDS.isdisjoint(words):
        return None
    said = set(words)
    signs = Counter(language for word in _TELLING_WORDS & said for language in _LANGUAGES_OF[word])
    if not text.isascii():
        lowered = normalize("NFC", text.lower())
        if _VIETNAMESE.search(lowered):  # shares short words with many, and has no stems
            return None
        letters = _LETTERS.keys() & set(lowered)
        signs.update({language for letter in letters for language in _LETTERS[letter]})
    most = max(signs.values())
    # Of equals the first of the table, so that a text and a question about it are taken for the same language.
    best = next(language for language in FUNCTION_WORDS if signs[language] == most)
    return best if most >= 2 and most > len((said & ENGLISH) - FUNCTION_WORDS[best]) else None


def without_function_words(words: Iterable[str], language: str | None) -> list[str]:
    """The words that say something, for a query in `language` (or in a script that tells it)."""
    listed = FUNCTION_WORDS.get(language or "", frozenset[str]())
    return [word for word in words if word not in listed and word not in _SCRIPT_WORDS]


@lru_cache(maxsize=1)
def _algorithms() -> frozenset[str]:
    import Stemmer  # deferred: importing the library must stay light

    return frozenset(Stemmer.algorithms())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType, reportUnknownVariableType]


@lru_cache(maxsize=65_536)
def stem(word: str, language: str) -> str:
    """The word's stem by Snowball; the word itself where the installed Snowball does not know the language."""
    if language not in _algorithms():
        return word
    import Stemmer

    # A stemmer keeps state between calls and is cheap to make; one of its own per new word needs no lock.
    return str(Stemmer.Stemmer(language).stemWord(word))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def is_latin(word: str) -> bool:
    """Whether no letter of a folded word is of another script."""
    return word.isascii() or not _NOT_LATIN.search(word)


def dialect(text: str) -> str:
    """What the letters of a folded text say about its language beyond its script; "" for nothing."""
    if _CYRILLIC.search(text):
        if _SERBIAN.search(text):
            return "serbian"
        return "other" if _NOT_RUSSIAN.search(text) else ""
    if _ARABIC.search(text) and (_PERSIAN.search(text) or _URDU.search(text)):
        return "other" if _URDU.search(text) else "persian"
    return ""


@lru_cache(maxsize=65_536)
def forms(word: str, dialect: str) -> tuple[str, ...]:
    """What a folded word that is not ASCII is found by besides itself."""
    if word in _SCRIPT_WORDS or word.isdigit():
        return ()
    pieces = _PIECES_OF_MIXED.findall(word)
    if is_latin(word):
        found = [stem(word.translate(_PLAIN), "english")]
    elif len(pieces) > 1:  # "USBкабель": each script's part is a word
        found = [form for piece in pieces for form in (piece, *forms(piece, dialect))]
    else:
        found = _korean(word) if _HANGUL.search(word) else [_normal(word, dialect)]
    return tuple(form for form in dict.fromkeys(found) if form and form != word)


def _normal(word: str, dialect: str) -> str:
    """One form for the spellings and inflections of a word, by the rules of its script."""
    if _CYRILLIC.search(word):
        word = word.translate(_YO)
        return stem(word, dialect or "russian")
    if _GREEK.search(word):
        return stem(_bare(word), "greek")
    if _ARABIC.search(word):
        word = word.replace(_TATWEEL, "")
        if dialect == "persian":
            word = word.translate(_TO_PERSIAN)
        return stem(word, dialect or "arabic").translate(_ARABIC_SPELLINGS)
    if _HEBREW.search(word):
        return stem(word, dialect) if dialect == "yiddish" else word
    if _DEVANAGARI.search(word):
        return stem(_NASAL.sub("\u0902", word.translate(_NUKTA).replace("\u0901", "\u0902")), "hindi")
    if _TAMIL.search(word):
        return stem(word, "tamil")
    if _ARMENIAN.search(word):
        return stem(word, "armenian")
    return word.translate(_NUKTA) if _INDIC.search(word) else word


def _bare(word: str) -> str:
    """Without marks."""
    apart = normalize("NFD", word)
    return normalize("NFC", "".join(char for char in apart if not unicodedata.combining(char)))


def _korean(word: str) -> list[str]:
    """Pairs of syllables, and the word without its particle: Korean writes both compounds and endings in one."""
    pairs = [word[i : i + 2] for i in range(len(word) - 1)] if len(word) > 2 else []
    return [*pairs, _PARTICLES.sub("", word)]
