"""What is recognised by its shape, its frame, its check digit, or by what is said around it.

Every finder takes time linear in the text: runs are possessive or bounded, and begin where no run can go on.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping

from remanence.screens.secrets import Secret, has_run, may_hold


def secrets(text: str) -> list[Secret]:
    """Secrets in order, none overlapping; of several that overlap, one with the first finder's kind."""
    if not may_hold(text):
        return []
    found = [(rank, Secret(*each)) for rank, find in enumerate(_FINDERS) for each in find(text)]
    found.sort(key=lambda each: (each[1].begin, each[0], -each[1].end))
    merged: list[tuple[int, Secret]] = []
    for rank, secret in found:
        if merged and secret.begin < merged[-1][1].end:
            before, other = merged[-1]
            kind = other.kind if before <= rank else secret.kind
            merged[-1] = min(before, rank), Secret(kind, other.begin, max(other.end, secret.end))
        else:
            merged.append((rank, secret))
    return [secret for _, secret in merged]


def _framed(text: str) -> Iterator[tuple[str, int, int]]:
    """Key blocks. One without an end reaches as far as its lines look like base64."""
    at = 0
    last = text.rfind("PRIVATE KEY")
    while (at := text.find("-----BEGIN ", at)) >= 0 and at < last:
        head = _BEGIN.match(text, at)
        if head is None:
            at += 1
            continue
        body = _BODY.match(text, head.end())
        end = body.end() if body else head.end()
        if end - head.end() >= 24:
            tail = _END.match(text, end)
            yield "private key", at, tail.end() if tail else end
        at = end
    for match in _PUTTY.finditer(text):
        yield "private key", match.start(1), match.end(1)


_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"[\s\\nr>|]{0,20}-----END [A-Z0-9 ]{0,40}-----")
_BODY = re.compile(r"(?:[A-Za-z0-9+/=\s>|]|\\[nr]|[\w-]+: [^\n\\]{0,100}(?:\n|\\n)|\.\.\.|…)*+")
_PUTTY = re.compile(r"Private-Lines: \d+\s((?:[A-Za-z0-9+/=]{8,}\s?)++)")

_TOKENS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    + "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in {
            "github_token": r"gh[pousr]_[A-Za-z0-9]{20,255}+|github_pat_\w{22,255}+",
            "gitlab_token": r"gl(?:pat|rt|dt|ptt|soat|cbt|agent|ft|imt)-[\w-]{16,255}+",
            "remanence_key": r"rm_[A-Za-z0-9]{4,40}_[\w-]{32,64}+",
            "anthropic_key": r"sk-ant-[\w-]{16,255}+",
            "openai_key": r"sk-(?:proj-|svcacct-|admin-|or-v1-)?(?=[A-Za-z_-]{0,60}\d)[\w-]{20,255}+",
            "stripe_key": r"[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,255}+|whsec_[A-Za-z0-9+/=]{16,255}+",
            "slack_token": r"xox[abeoprs]-[A-Za-z0-9-]{10,255}+|xapp-\d-[A-Za-z0-9-]{10,255}+",
            "aws_key": r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
            "google_key": r"AIza[\w-]{30,45}+|ya29\.[\w-]{20,255}+|GOCSPX-[\w-]{20,60}+",
            "npm_token": r"npm_[A-Za-z0-9]{30,60}+",
            "package_index_token": r"pypi-[\w-]{50,255}+",
            "hugging_face_token": r"hf_[A-Za-z]{30,60}+|hf_[A-Za-z0-9]{30,60}+",
            "sendgrid_key": r"SG\.[\w-]{16,32}\.[\w-]{16,64}+",
            "telegram_token": r"\d{8,10}:AA[\w-]{30,40}+",
            "vault_token": r"hv[sbr]\.[\w-]{20,255}+",
            "shopify_token": r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
            "digitalocean_token": r"do[opr]_v1_[a-f0-9]{40,64}",
            "age_key": r"AGE-SECRET-KEY-1[A-Z0-9]{40,64}",
            "webhook": r"hooks\.slack\.com/services/[\w/]{20,100}+"
            r"|discord(?:app)?\.com/api/webhooks/\d+/[\w-]{30,100}+",
            "json_web_token": r"eyJ[\w-]{8,4000}\.eyJ[\w-]{8,4000}(?:\.[\w-]{0,4000})?+",
        }.items()
    )
    + ")"
)


def _tokens(text: str) -> Iterator[tuple[str, int, int]]:
    if not has_run(text):
        return
    for match in _TOKENS.finditer(text):
        yield (match.lastgroup or "token").replace("_", " "), match.start(), match.end()


def _known_formats(text: str) -> Iterator[tuple[str, int, int]]:
    if has_run(text):
        from remanence.screens import _formats  # reads the rules of many services: not before it must

        yield from _formats.find(text)


_HEADER = re.compile(
    r"(?i)\b(?P<scheme>bearer|basic|digest|token|api-?key)[ \t]+(?P<value>[A-Za-z0-9._~+/=-]{8,4096}+)"
    r"|\b(?:x-[a-z-]{0,30}(?:key|token)|authorization|proxy-authorization)[ \t]*[:=][ \t]*"
    r"(?!bearer\b|basic\b|digest\b|token\b)(?P<bare>[A-Za-z0-9._~+/=-]{8,4096}+)"
)


def _headers(text: str) -> Iterator[tuple[str, int, int]]:
    lower = text.lower()
    if not any(word in lower for word in ("bearer", "basic", "authorization", "x-")):
        return
    for match in _HEADER.finditer(text):
        group = "value" if match["value"] else "bare"
        value = match[group]
        announced = "uthoriz" in text[max(match.start() - 24, 0) : match.start()].lower() or group == "bare"
        scheme = (match["scheme"] or "").lower()
        if is_placeholder(value) or not (announced or scheme in {"bearer", "basic"}):
            continue
        if _is_pair(value) if scheme == "basic" else _is_mixed(value, 8 if announced else 16):
            yield "authorization header", *match.span(group)


def _is_pair(value: str) -> bool:
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


_URL = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{0,20}://(?P<user>[^\s/@:'\"<>]{0,100}):(?P<password>[^\s/@'\"<>]{1,200}+)@"
)
_QUERY = re.compile(
    r"(?i)[?&#;](?:[a-z0-9_-]{0,20}(?:token|api_?key|secret|password|passwd|signature|sig|auth|apikey)|key|pwd|code)"
    r"=([^\s&#\"'<>]{6,2000}+)"
)


def _urls(text: str) -> Iterator[tuple[str, int, int]]:
    if "://" not in text and "=" not in text:
        return
    for match in _URL.finditer(text):
        if not is_placeholder(match["password"]) and not match["password"].isdigit():
            yield "url password", *match.span("password")
    for match in _QUERY.finditer(text):
        if not is_placeholder(match[1]) and _is_mixed(match[1], 8):
            yield "url key", *match.span(1)


# -- card numbers

_CARD = re.compile(r"(?<![\d.,/_-])(?<!\d )\d{4}(?:[ -]?\d){8,14}\d(?![\d_/])(?! \d)(?!-\d)(?![.,]\d)")
_GROUPS = {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 5), (6, 13), (8, 8)}
# First digits of issuers, and how long their numbers are.
_ISSUERS = (
    (re.compile(r"4"), {13, 16, 19}),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), {16}),
    (re.compile(r"3[47]"), {15}),
    (re.compile(r"6011|64[4-9]|65|62"), {16, 17, 18, 19}),
    (re.compile(r"35(?:2[89]|[3-8])"), {16}),
    (re.compile(r"3(?:0[0-5]|[689])"), {14}),
    (re.compile(r"220[0-4]|50|5[6-9]|6[0-9]"), {16, 19}),
)


def _cards(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _CARD.finditer(text):
        groups = re.split(r"[ -]", match.group())
        digits = "".join(groups)
        separators = set(re.findall(r"[ -]", match.group()))
        grouped = len(groups) == 1 or (len(separators) == 1 and tuple(map(len, groups)) in _GROUPS)
        issued = any(len(digits) in lengths and first.match(digits) for first, lengths in _ISSUERS)
        if grouped and issued and len(set(digits)) > 1 and _luhn(digits):
            yield "card number", match.start(), match.end()


def _luhn(digits: str) -> bool:
    double = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(double) + sum(map(int, digits[::-2]))) % 10 == 0


# -- what is said to be a secret

# The end of a name, and what it names. A word after it in brackets: what must stand before it, or it is no name.
_QUALIFIED = re.compile(
    r"(?:api|access|auth|secret|private|signing|encryption|master|licen[cs]e|account|deploy|storage|admin|service|app"
    r"|webhook|client|refresh|session|ssh|wallet)[ _-]?$"
)
_CODES = re.compile(
    r"(?:verification|2fa|alarm|door|unlock|backup|access|gate|safe|vault|recovery|security|one-time)[ _-]?$"
)
_NAMES: Mapping[str, tuple[str, re.Pattern[str] | None]] = {
    **dict.fromkeys(
        (
            *(
                "password",
                "pass word",
                "passwd",
                "pwd",
                "passphrase",
                "pass phrase",
                "passcode",
                "mot de passe",
            ),
            *("contraseña", "contrasena", "senha", "passwort", "kennwort", "wachtwoord", "hasło", "пароль"),
            *("密码", "密碼", "パスワード", "비밀번호"),
        ),
        ("password", None),
    ),
    "key": ("api key", _QUALIFIED),
    "token": ("token", None),
    "secret": ("secret", None),
    "credential": ("secret", None),
    **dict.fromkeys(("sessionid", "sessid", "connect.sid"), ("token", None)),
    **dict.fromkeys(("pin", "cvv", "cvc", "otp"), ("pin", re.compile(r"(?:^|[^a-z])$"))),
    "code": ("pin", _CODES),
}
_SAID = re.compile(
    r"(?:s|2|[ _-]?(?:code|number|nummer)|\.hash)?(?![a-z])"
    r"(?:"
    # name = value, "name": value, name: value
    r"[\"'`\])*]{0,3}[ \t]{0,3}(?P<sign>=>|:=|=(?!=)|:(?!:)|：)[ \t]{0,3}"
    # the name for something is value
    r"|(?:[ \t]+(?!is\b|was\b|to\b|are\b|ist\b|lautet\b|est\b|es\b)[\w'’./@-]{1,40}+){0,6}?"
    r"[ \t]*(?P<verb>\b(?:is|was|are|to|now|becomes|ist|lautet|est|es|é|è|это)(?![\w'’-])"
    r"(?:[ \t](?:now|still|set to|just|currently|always|jetzt)\b)?[ \t]*:?|->|→|是|为)[ \t]*"
    # --name value, name value
    r"|[ \t]+"
    r")"
    r"(?P<value>(?P<quote>[\"'`“‘«])(?P<quoted>[^\"'`”’»\n]{1,200})[\"'`”’»]|[^\s\"'`“”‘’«»]{1,400}+)"
)
_TRAILING = ".,;:!?)]}>…。，！？"
_ENDS_CLAUSE = re.compile(
    r"[\"'`”’»)\]}*]*(?:[.,;:!?。，！？][\"')\]]*)?"
    r"(?:\s*$|\s*\n|(?<=[.,;:!?。，！？])\s|[ \t]+(?:and|but|for|on|und|y|et|\(|-|–)(?!\w))"
)


def _said(text: str) -> Iterator[tuple[str, int, int]]:
    """Values that a name such as "password" announces: `password=…`, "the password for the door is …"."""
    lower = _lower(text)
    names = sorted(
        (at + len(name), kind, at)
        for name, (kind, before) in _NAMES.items()
        for at in _occurrences(name, lower)
        if before is None or before.search(lower[max(at - 20, 0) : at])
    )
    done = 0
    for end, kind, begin in names:
        if begin >= done and (match := _SAID.match(lower, end)) is not None:
            start, stop = _value(match, text)
            if _keeps(match, text, kind, text[start:stop], flag=text.startswith("--", begin - 2)):
                yield kind, start, stop
                done = stop


def _occurrences(word: str, text: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _lower(text: str) -> str:
    """In lower case, character for character."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


def _value(match: re.Match[str], text: str) -> tuple[int, int]:
    if match["quoted"] is not None:
        return match.span("quoted")
    begin = match.start("value")
    value = text[begin : match.end("value")].rstrip(_TRAILING if match["sign"] != "=" else ",;)]}")
    if match["sign"] and "&" in value and "?" in text[max(0, begin - 200) : begin]:
        value = value.partition("&")[0]
    if match["sign"] == "=":
        value = value.partition(";")[0]  # of a connection string
    return begin, begin + len(value)


def _keeps(match: re.Match[str], text: str, kind: str, value: str, *, flag: bool) -> bool:
    """Whether the value is a secret, not a word about one."""
    quoted = match["quoted"] is not None
    if not value.strip() or is_placeholder(value) or value.startswith(("http://", "https://")):
        return False
    if value.split()[0].strip(_TRAILING).lower() in _ABOUT:
        return False
    sign, verb = match["sign"], match["verb"]
    if kind == "pin":
        compact = value.replace("-", "").replace(" ", "")
        return bool(sign or verb) and compact.isdigit() and 3 <= len(compact) <= 10
    if kind != "password":
        if " " in value:
            return False
        if sign == "=" or (quoted and (sign or verb)):
            return _is_mixed(value, 8) or (len(value) >= 20 and not _is_words(value))
        return _is_mixed(value, 8 if sign or verb else 12)
    if _CODE.fullmatch(value):
        return False
    if sign == "=" or flag or (quoted and (sign or verb)):
        return len(value) >= 3
    if _is_mixed(value, 6, of_words=True) or (_is_symbolic(value) and bool(sign or verb)):
        return True
    if value.isdigit():
        return len(value) >= (4 if sign or verb else 6)
    # One plain word is a password where it ends what is said: "the password is swordfish."
    end = match.start("value") + len(value)
    return (
        bool(sign or verb)
        and len(value) >= 4
        and not _PARTICIPLE.search(value)
        and bool(_ENDS_CLAUSE.match(text, end))
    )


_PLACEHOLDER = re.compile(
    r"(?i)(?:<.*|\{.*|\$.*|%\w+%?|@\w+@|\*{2,}|x{3,}|[.…•·●_-]{2,}.*|\[.*|\(.*|/.*"
    r"|your.*|my[-_].*|some[-_].*|the[-_].*|example.*|.*example|placeholder|dummy|redacted|masked|hidden|none|null|nil|undefined|true|false"
    r"|required|optional|empty|unknown|n/?a|tbd|todo|string|str|text|int|number|bool|bytes|secretstr|any"
    r"|env[.:].*|os\.(?:environ|getenv).*|process\.env.*|getenv.*|config\..*|settings\..*|vault:.*|secrets?\..*|op://.*|ref\+.*|arn:.*"
    r"|pass(?:word|wd)?|pwd|secret|token|key|api[-_]?key|changeit|abc123\.\.\.|…)"
)
_CODE = re.compile(r"[A-Za-z_][\w.]*\(.*|[a-z_]+(?:\.[a-z_]+)+|[a-z]+_[a-z_]+")
_PARTICIPLE = re.compile(r"(?i)(?:ed|ing|able|ible|ful|less|ly|tion|ity|ment|ive|ical|ous)$")
_ABOUT = frozenset(
    (
        "a abgelaufen about above accepted across after again all allowed also always an and another any "
        "app are as ask asked at auth autogenerated back be because been before being below better between "
        "blank both bound budget budgets but by caducada can cannot card case change changed checked client "
        "code compromised correct cost costs count counts current dead default different do does due each "
        "easy eight either eleven empty encrypted enough entered every everything expirado expired expires "
        "expiring expirée faible falsch false field fields fifteen fine first five for forbidden forgotten "
        "four from generic get geändert given going gone good guardada handled hard hashed here hers his "
        "how i if important in incorrect incorrecta incorrectly incorrecto insecure inside instead invalid "
        "is issue it its itself just keep kept known last later leaked less like limit limited limits "
        "locked long longer lost made management manager managers may me mine minimum missing more most "
        "must my needed never new next nicht nine no nobody noch none not nothing now of off ok okay old on "
        "once one only open optional or other oublié our out over per please policy possible price prices "
        "private problem protected public put quite rather readable ready really recommended required reset "
        "reused revoked right rotated rotation safe saved schwach secure sent server set seven shared short "
        "should sicher simple simply six so some something somewhere soon sort static still stored strong "
        "stronger stuff ten than that the their them then there these they thing this those three through "
        "tier time to too toward true twelve two type unchanged under unique unknown unsafe until up usage "
        "use used user users using usually valid very via wanted was way we weak what when where whether "
        "which while who why will window wiped with within without working wrong wrote yet you your yours "
        "zu истёк неверный"
    ).split()
)


def is_placeholder(value: str) -> bool:
    return bool(_PLACEHOLDER.fullmatch(value)) or (len(value) > 2 and len(set(value)) == 1)


def _is_mixed(value: str, least: int, *, of_words: bool = False) -> bool:
    """Letters and digits in one run: no number, version, amount or time.

    Nor, unless `of_words`, a word with a number as `python3`.
    """
    return (
        len(value) >= least
        and any(map(str.isdigit, value))
        and sum(map(str.isalpha, value)) >= 2
        and not _ORDINARY.fullmatch(value)
        and (of_words or not _NUMBERED.fullmatch(value))
    )


_ORDINARY = re.compile(
    r"(?i)v?\d+(?:[.,:/-]\d+)*(?:[a-z]{1,3})?"
    r"|\d{1,4}[- ]?(?:char(?:acter)?|digit|bit|day|hour|minute|second|month|letter|token|year)s?"
    r"|(?:sha|md|aes|rsa|bcrypt|argon|oauth|utf|base|ed|ecdsa|hs|rs|es|pbkdf|scrypt|hmac)[-_]?\d+(?:[-_/].*)?|\d+[-x]\d+|\d{4}-\d\d-\d\d.*"
)
_NUMBERED = re.compile(r"(?i)[a-z]+-?\d{1,2}")


def _is_symbolic(value: str) -> bool:
    """Letters with symbols between, as in no word: `Tr!cky`, `a$b&c`."""
    return len(value) >= 6 and bool(re.search(r"\w[!#$%^&*+=~?@|\\<>{}]+\w", value)) and "://" not in value


def _is_words(value: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z]+(?:[-_.][A-Za-z]+)*", value))


_SEED = re.compile(
    r"(?i)\b(?:seed|recovery|mnemonic|backup|secret)[ -]?(?:phrase|words|passphrase)?[^\n:.]{0,40}?"
    r"(?::|\bis\b|\bare\b)\s*[\"'`“]?"
    r"(?P<words>(?-i:[a-z]{3,8})(?:,?\s(?-i:[a-z]{3,8})){11,23}+)(?![a-z])"
)
_PHRASE = re.compile(
    r"(?i)\bpass[ -]?phrase\b[^\n:.]{0,40}?(?::|\bis\b)\s*(?P<words>(?-i:[a-z]{3,12})(?:[ -](?-i:[a-z]{3,12})){2,7}+)"
    r"(?=[.!\n]|$)"
)
_LOGIN = re.compile(
    r"(?i)\blogin[ \t]+\S{1,100}[ \t]+password[ \t]+(\S{3,200}+)|(?<=\s)-u[ \t]+['\"]?[\w.@-]{1,60}:([^\s'\"]{3,200}+)"
)


def _phrases(text: str) -> Iterator[tuple[str, int, int]]:
    lower = text.lower()
    if not any(word in lower for word in ("phrase", "words", "mnemonic", "seed", "login", " -u")):
        return
    for pattern, kind in ((_SEED, "seed phrase"), (_PHRASE, "password")):
        for match in pattern.finditer(text):
            words = match["words"].replace(",", " ").split()
            if not _FUNCTION_WORDS.intersection(words):
                yield kind, *match.span("words")
    for match in _LOGIN.finditer(text):
        group = 1 if match[1] else 2
        if not is_placeholder(match[group]):
            yield "password", *match.span(group)


_FUNCTION_WORDS = frozenset("the in at of to and a an on is are for with too not my your it was by".split())

_FINDERS: tuple[Callable[[str], Iterator[tuple[str, int, int]]], ...] = (
    _framed,
    _tokens,
    _cards,
    _headers,
    _urls,
    _phrases,
    _said,
    _known_formats,
)
