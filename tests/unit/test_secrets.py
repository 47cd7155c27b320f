"""Secrets are replaced where they stand; what only talks about them, or looks a little like one, is kept."""

import json
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from remanence.screens import _finders, _formats
from remanence.screens.secrets import SecretRedactor, mark

REDACT = SecretRedactor().redact

# Put together here, so that no scanner of this repository takes them for real ones.
GITHUB = "gh" + "p_" + "16C7e42F292c6912E7710c838347Ae178B4a"
SLACK = "xo" + "xb-" + "123456789012-1234567890123-abcdefABCDEFabcdefABCDEF"
AWS = "AK" + "IA" + "2GMYLCPVS7J5Z7MJ"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
ATLASSIAN = "ATATT3" + ("aB3dE5fG7hIj9kLm2nOp4qRs6tUv" * 7)[:186]
KEY = (
    "-----BEGIN RSA PRIVATE "
    + "KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEpAIBAAKCAQEA7bq3mZ\nabcdefgh12345678\n"
    "-----END RSA PRIVATE " + "KEY-----"
)


@pytest.mark.parametrize(
    ("text", "secret", "kind"),
    [
        (f"the token is {GITHUB} for builds", GITHUB, "github token"),
        (f"bot: {SLACK}", SLACK, "slack token"),
        (f"sign in with {AWS}, please", AWS, "aws key"),
        (f"copied {JWT} from the browser", JWT, "json web token"),
        (f"our Jira uses {ATLASSIAN}, I think", ATLASSIAN, "atlassian api token"),
        (f"here: {KEY} done", KEY, "private key"),
        ("Authorization: Bearer abcdef1234567890xyz", "abcdef1234567890xyz", "authorization header"),
        ("Authorization: Basic YWRhOnNlc2FtZQ==", "YWRhOnNlc2FtZQ==", "authorization header"),
        ("connect to postgres://ada:pw12345@db/x today", "pw12345", "url password"),
        ("https://a.example/v1?api_key=abcd1234efgh&x=1", "abcd1234efgh", "url key"),
        ("my card 4111 1111 1111 1111 until 09/34", "4111 1111 1111 1111", "card number"),
        ("amex 378282246310005.", "378282246310005", "card number"),
        ("my password is hunter2 ok", "hunter2", "password"),
        ("The password is swordfish.", "swordfish", "password"),
        ("the wifi password at the cabin is bluebird42", "bluebird42", "password"),
        ("DB_PASSWORD=Sup3rS3cret", "Sup3rS3cret", "password"),
        ('{"user": "bob", "password": "x9f!kk"}', "x9f!kk", "password"),
        ("mein Passwort ist Geheim!23", "Geheim!23", "password"),
        ("passphrase is correct horse battery staple", "correct horse battery staple", "password"),
        ("curl -u admin:sup3r https://x.example", "sup3r", "password"),
        ("my PIN is 4821", "4821", "pin"),
        ("The access token is a1b2c3d4e5f6g7h8", "a1b2c3d4e5f6g7h8", "token"),
        (
            "seed phrase: " + " ".join(["apple", "river", "stone", "cloud"] * 3),
            " ".join(["apple", "river", "stone", "cloud"] * 3),
            "seed phrase",
        ),
    ],
)
def test_a_secret_is_replaced_by_a_visible_mark(text, secret, kind):
    redacted = REDACT(text)
    begin = text.index(secret)
    assert redacted.found == ((kind, begin, begin + len(secret)),)
    assert redacted.text == text.replace(secret, mark(kind))


@pytest.mark.parametrize(
    "text",
    [
        "the password is too weak",
        "The password is stored in the vault.",
        "Password must be at least 12 characters",
        "I forgot my password again.",
        "Change your password to something stronger",
        "password: ********",
        "password: <your password>",
        'api_key = os.environ["API_KEY"]',
        "API_KEY=${API_KEY}",
        "token limit is 4096 tokens",
        "the bearer of bad news came",
        "Anna's secret: she likes Tom",
        "the key meeting is on 2031-04-05 at 09:30",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "booking 550e8400-e29b-41d4-a716-446655440000",
        "order 4111111111111112 was shipped",
        "call +49 170 1234567 or 0041 44 668 18 00",
        "ISBN 978-3-16-148410-0, version 1.2.3-rc4, python3",
        "postgres://user:password@localhost/db",
        "-----BEGIN PUBLIC " + "KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK\n-----END PUBLIC " + "KEY-----",
        "https://intranet.example/minutes/2031-02-04?page=2",
        "Prompts use the password manager and its API key rotation.",
    ],
)
def test_what_is_no_secret_is_kept(text):
    assert REDACT(text).text == text


def test_several_secrets_each_get_their_mark():
    text = f"{GITHUB} and {AWS}, password: Tr0ub4dor&3"
    redacted = REDACT(text)
    assert [kind for kind, _, _ in redacted.found] == ["github token", "aws key", "password"]
    assert redacted.text == f"{mark('github token')} and {mark('aws key')}, password: {mark('password')}"


def test_a_key_block_without_its_end_is_redacted_as_far_as_it_goes():
    text = "-----BEGIN PRIVATE " + "KEY-----\n" + "QUJDREVGR0hJSktMTU5PUFFSU1Q\n" * 3
    assert REDACT(text).text.startswith(mark("private key"))
    assert "QUJD" not in REDACT(text).text


def test_metadata_is_redacted_by_key_and_by_content():
    value = {
        "password": "tulip",
        "db": {"apiKey": "abc", "pin": 1234, "hosts": ["a.example", f"uses {GITHUB}"]},
        "max_tokens": 512,
        "note": "likes tea",
        "credentials": {"name": "ada"},
    }
    assert SecretRedactor().redact_json(value) == {
        "password": mark("password"),
        "db": {
            "apiKey": mark("api key"),
            "pin": mark("pin"),
            "hosts": ["a.example", f"uses {mark('github token')}"],
        },
        "max_tokens": 512,
        "note": "likes tea",
        "credentials": {"name": mark("secret")},
    }


def test_metadata_without_secrets_is_the_same_object():
    value = {"a": ["b", {"tokens": 5, "keyboard": "qwertz"}], "token_count": 3, "password": None}
    assert SecretRedactor().redact_json(value) is value


def test_keys_that_differ_by_a_secret_only_are_both_kept():
    other = GITHUB[:-1] + "b"
    redacted = SecretRedactor().redact_json({GITHUB: "one", other: "two"})
    assert sorted(redacted.values()) == ["one", "two"]
    assert GITHUB not in json.dumps(redacted)


def test_most_texts_load_nothing():
    script = (
        "import sys; from remanence.screens.secrets import SecretRedactor as R; r = R()\n"
        "r.redact('She prefers tea and lives in Oslo since 2021.')\n"
        "assert not {'remanence.screens._finders', 'remanence.screens._formats', 'secretscreen', 'tomllib'}"
        " & set(sys.modules)\n"
        "r.redact('my password is hunter2x')\n"
        "assert 'remanence.screens._formats' not in sys.modules\n"
        "r.redact('commit 9fceb02d0ae598e95dc970b74767f19372d61af8')\n"
        "assert 'remanence.screens._formats' in sys.modules and 'secretscreen' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_rule_of_the_detector_is_understood():
    spec = find_spec("secretscreen")
    assert spec is not None and spec.submodule_search_locations
    file = Path(next(iter(spec.submodule_search_locations))) / "gitleaks.toml"
    rules = tomllib.loads(file.read_text())["rules"]
    known, common = _formats._rules()
    assert len(known) > 200 and len(known) + 15 > len(rules)
    for rule in known.values():
        assert _formats._compiled(rule.source).groups >= 0
        for entry in rule.allowed:
            assert all(_formats._compiled(each) for each in entry.get("regexes", ()))
    assert all(_formats._compiled(each) for each in common)


@pytest.mark.parametrize(
    ("go", "matches", "differs"),
    [
        (r"ab(?i)cd", "abCD", "ABcd"),
        (r"(?:a(?i)b)c", "aBc", "aBC"),
        (r"(?i)a[(?i)]", "A(", "Ab"),
        (r"[]a](?i)b", "]B", "bb"),
        (r"\((?i)a\z", "(A", "(Ab"),
    ],
)
def test_patterns_of_go_mean_the_same(go, matches, differs):
    pattern = _formats._compiled(go)
    assert pattern.match(matches)
    assert not pattern.match(differs)


@pytest.mark.parametrize(
    "unit", ["password ", "api_key=a1b2c3d4e5 ", "-----BEGIN ", "eyJaaaaaaaaa.", "a://b:c", "1 "]
)
def test_names_are_looked_at_once_each(unit):
    """What the finders give grows with the text and no faster."""
    found = [sum(1 for find in _finders._FINDERS for _ in find(unit * times)) for times in (50, 100, 200)]
    assert found[2] - found[1] <= 2 * (found[1] - found[0]) + 2
