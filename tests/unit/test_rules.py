"""Extraction without a model: what is kept of what is said, as what, and from where."""

import asyncio
from datetime import UTC, datetime

import pytest

from remanence.domain.context import CLOSE, OPEN
from remanence.domain.messages import Message
from remanence.extractors.rules import MOST_PER_MESSAGE, RulesExtractor, recalled_from

AT = datetime(2025, 3, 12, 10, tzinfo=UTC)  # a Wednesday


def said(content, *, role="user", name="Sarah", at=AT, **options):
    message = Message(content=content, role=role, name=name, at=at)
    return RulesExtractor(**options).candidates([message])


def day(*parts):
    return datetime(*parts, tzinfo=UTC)


KEPT = [
    # preferences
    ("I prefer tea", "preference", "Sarah prefers tea"),
    ("i prefer tea over coffee", "preference", "Sarah prefers tea over coffee"),
    ("I hate olives.", "preference", "Sarah hates olives"),
    ("I don't like coffee", "preference", "Sarah doesn't like coffee"),
    (
        "I really don't like spicy food, but my brother loves it",
        "preference",
        "Sarah really doesn't like spicy food",
    ),
    ("I can't stand loud music", "preference", "Sarah can't stand loud music"),
    ("I'm not a fan of meetings", "preference", "Sarah is not a fan of meetings"),
    ("I'd prefer short answers", "preference", "Sarah would prefer short answers"),
    ("I'd rather walk", "preference", "Sarah would rather walk"),
    ("I think I prefer dark mode", "preference", "Sarah prefers dark mode"),
    ("My favourite editor is Vim", "preference", "Sarah's favourite editor is Vim"),
    ("my favorite colour is blue", "preference", "Sarah's favorite colour is blue"),
    ("We prefer tabs over spaces in this repo", "preference", "We prefer tabs over spaces in this repo"),
    ("My boss Anna doesn't like surprises", "preference", "Sarah's boss Anna doesn't like surprises"),
    ("Please always answer in German.", "preference", "Sarah asked to always answer in German"),
    ("Never use tabs", "preference", "Sarah asked to never use tabs"),
    ("Don't use emojis in your answers", "preference", "Sarah asked not to use emojis in your answers"),
    ("Call me Sam", "fact", "Sarah is called Sam"),
    ("Keep your answers short please", "preference", "Sarah asked to keep your answers short please"),
    ("No deployments on Fridays", "fact", "No deployments on Fridays"),
    # who somebody is
    ("My name is Sarah Chen", "fact", "Sarah's name is Sarah Chen"),
    ("My email is sarah@example.com", "fact", "Sarah's email is sarah@example.com"),
    ("My timezone is CET", "fact", "Sarah's timezone is CET"),
    ("I'm 34 years old", "fact", "Sarah is 34 years old"),
    ("my name is ali and i'm 34", "fact", "Sarah is 34"),
    ("I'm a nurse", "fact", "Sarah is a nurse"),
    ("Hi! I'm Sarah, a data scientist from Toronto.", "fact", "Sarah is a data scientist from Toronto"),
    ("I'm from Portugal", "fact", "Sarah is from Portugal"),
    ("I'm German", "fact", "Sarah is German"),
    ("I am allergic to penicillin", "fact", "Sarah is allergic to penicillin"),
    ("im allergic to nuts", "fact", "Sarah is allergic to nuts"),
    ("I have a peanut allergy", "fact", "Sarah has a peanut allergy"),
    ("I've been vegetarian since 2015.", "fact", "Sarah has been vegetarian since 2015"),
    ("I was born in 1988 in Kyiv", "fact", "Sarah was born in 1988 in Kyiv"),
    ("I grew up in a small village", "fact", "Sarah grew up in a small village"),
    ("I work as a nurse at St Mary's", "fact", "Sarah works as a nurse at St Mary's"),
    ("I study physics in Leiden", "fact", "Sarah studies physics in Leiden"),
    ("I live with my parents", "fact", "Sarah lives with Sarah's parents"),
    ("By the way, I live in Oslo", "fact", "Sarah lives in Oslo"),
    ("I've been working at Acme since 2019", "fact", "Sarah has been working at Acme since 2019"),
    ("I speak French and some German", "fact", "Sarah speaks French and some German"),
    ("I have two cats and a dog", "fact", "Sarah has two cats and a dog"),
    ("I own a 2014 Honda Civic", "fact", "Sarah owns a 2014 Honda Civic"),
    ("My dog is called Rex", "fact", "Sarah's dog is called Rex"),
    ("My son Jonas is 7", "fact", "Sarah's son Jonas is 7"),
    ("My wife and I live in Rome", "fact", "Sarah's wife and Sarah live in Rome"),
    ("I usually wake up at six", "fact", "Sarah usually wakes up at six"),
    ("I used to live in Rome", "fact", "Sarah used to live in Rome"),
    # persons and things
    ("Sarah is our designer", "fact", "Sarah is our designer"),
    ("The staging server runs Debian 12.", "fact", "The staging server runs Debian 12"),
    ("production uses postgres", "fact", "production uses postgres"),
    ("The API uses OAuth", "fact", "The API uses OAuth"),
    ("We use GitHub Actions for CI", "fact", "We use GitHub Actions for CI"),
    ("Alice manages the billing service", "fact", "Alice manages the billing service"),
    ("The office is closed on Mondays", "fact", "The office is closed on Mondays"),
    ("Deploys happen on Tuesdays", "fact", "Deploys happen on Tuesdays"),
    (
        "Visiting hours on ward 7 run from 14:00 to 18:00.",
        "fact",
        "Visiting hours on ward 7 run from 14:00 to 18:00",
    ),
    ("Tom, my brother, is a pilot", "fact", "Tom, Sarah's brother, is a pilot"),
    ("My sister, who lives in Rome, is a nurse.", "fact", "Sarah's sister, who lives in Rome, is a nurse"),
    ("Mr. Petrov sits on the fifth floor.", "fact", "Mr. Petrov sits on the fifth floor"),
    ("There are 80 dairy cows on the farm.", "fact", "There are 80 dairy cows on the farm"),
    ("New wifi network: tundra-12", "fact", "New wifi network: tundra-12"),
    ("The ferry to Oslo takes cars and bicycles.", "fact", "The ferry to Oslo takes cars and bicycles"),
    ("Bought a clarinet!", "fact", "Sarah bought a clarinet"),
    ('My book is called "Salt Roads".', "fact", 'Sarah\'s book is called "Salt Roads"'),
    # decisions
    (
        "We decided to use Postgres because it has JSON.",
        "decision",
        "We decided to use Postgres because it has JSON",
    ),
    (
        "We chose Kotlin over Java since it is safer",
        "decision",
        "We chose Kotlin over Java since it is safer",
    ),
    (
        "We decided against MongoDB because of licensing",
        "decision",
        "We decided against MongoDB because of licensing",
    ),
    ("Let's go with option B", "decision", "Let's go with option B"),
    ("We'll use FastAPI for the backend", "decision", "We'll use FastAPI for the backend"),
    ("We're going with Terraform", "decision", "We're going with Terraform"),
    ("We will not renew the contract", "decision", "We will not renew the contract"),
    ("I decided to quit my job", "decision", "Sarah decided to quit Sarah's job"),
    ("It was decided that the launch moves", "decision", "It was decided that the launch moves"),
    ("Decision: we use trunk-based development", "decision", "We use trunk-based development"),
    ("Postgres was chosen because it is stable", "decision", "Postgres was chosen because it is stable"),
    # procedures
    ("To deploy, run make deploy", "procedure", "To deploy, run make deploy"),
    ("Always run the tests before pushing", "procedure", "Always run the tests before pushing"),
    ("Before you deploy, run the tests", "procedure", "Before you deploy, run the tests"),
    ("When the cache is stale, restart Redis", "procedure", "When the cache is stale, restart Redis"),
    ("If the build fails, run make clean first", "procedure", "If the build fails, run make clean first"),
    ("First drain the node, then reboot it", "procedure", "First drain the node, then reboot it"),
    ("The command to build is make all", "procedure", "The command to build is make all"),
    # failures
    (
        "We tried Redis, it failed because the cluster ran out of memory.",
        "failure",
        "We tried Redis, it failed because the cluster ran out of memory",
    ),
    ("I tried pandas but it was too slow", "failure", "Sarah tried pandas but it was too slow"),
    ("We tried Celery. It hung after a fork.", "failure", "We tried Celery. It hung after a fork"),
    ("do not use libfoo: it deadlocks under fork", "failure", "Do not use libfoo: it deadlocks under fork"),
    ("Don't use eval here because it crashes", "failure", "Don't use eval here because it crashes"),
    ("pyenv doesn't work with Python 3.13", "failure", "pyenv doesn't work with Python 3.13"),
    ("The migration failed because of a lock", "failure", "The migration failed because of a lock"),
    ("Webpack kept crashing on the CI", "failure", "Webpack kept crashing on the CI"),
    ("Upgrading numpy broke the build", "failure", "Upgrading numpy broke the build"),
    # what was asked to be remembered
    ("Remember that I'm left-handed", "fact", "Sarah is left-handed"),
    ("Please keep in mind that I'm colour-blind.", "fact", "Sarah is colour-blind"),
    ("Just a reminder that the heating is off.", "fact", "The heating is off"),
    ("Don't forget that Tom is vegetarian", "fact", "Tom is vegetarian"),
    ("Note: the API key rotates every 30 days", "fact", "The API key rotates every 30 days"),
    ("Can you remember that my cat is called Miso?", "fact", "Sarah's cat is called Miso"),
]


@pytest.mark.parametrize(("content", "type", "kept"), KEPT)
def test_what_is_said_is_kept_as_a_sentence_of_its_own(content, type, kept):
    found = said(content)
    assert (type, kept) in [(candidate.type, candidate.content) for candidate in found]
    for candidate in found:
        begin, end = candidate.span
        assert 0 <= begin < end <= len(content)


TAGGED = [
    ("We must not store card numbers", "constraint"),
    ("The app must work offline", "constraint"),
    ("Passwords must have at least 12 characters", "constraint"),
    ("Our budget is 5000 euros", "constraint"),
    ("Our deadline is May 3", "constraint"),
    ("The venue can take at most 90 guests.", "constraint"),
    ("I can only meet after 5pm", "constraint"),
    ("I can't eat gluten", "constraint"),
    ("I can't swim.", "constraint"),
    ("Nobody but Elena may change the prices", "constraint"),
    ("The response has to be under 200 ms", "constraint"),
    ("You must never push to main", "constraint"),
    ("I'm flying to Madrid next Tuesday", "plan"),
    ("I'm planning to move to Norway in May", "plan"),
    ("We plan to launch in September", "plan"),
    ("I will start my new job on Monday", "plan"),
    ("Dentist on Tuesday at 9.", "plan"),
    ("I want to learn Italian", "plan"),
    ("I'm going to visit my parents in July", "plan"),
    ("I need to finish the report by Friday", "task"),
    ("I have to renew my passport", "task"),
    ("TODO: update the licence headers", "task"),
    ("Remember to water the plants", "task"),
    ("I no longer eat meat", "correction"),
    ("I don't live in Rome anymore", "correction"),
    ("We switched from Redis to Memcached because of the licence", "correction"),
    ("I moved from Berlin to Hamburg", "correction"),
    ("We replaced Jenkins with GitHub Actions", "correction"),
    ("We stopped using Slack", "correction"),
    ("We renamed the project to Atlas", "correction"),
    ("Actually, I prefer coffee", "correction"),
    ("Correction: the port is 8081", "correction"),
    ("Sorry, I meant the port is 8443", "correction"),
    ("The meeting is not on Tuesday but on Wednesday", "correction"),
    ("The meeting is on Friday instead of Thursday", "correction"),
    ("The launch was postponed to June", "correction"),
    ("The deadline is now June 5", "correction"),
    ("The build works now", "works"),
    ("I fixed the login bug by clearing the cache", "works"),
    ("The login is fixed", "works"),
    ("The tests pass again after the upgrade", "works"),
    ("Finally got Docker working on my Mac", "works"),
    ("I deployed v2 to staging", "event"),
    ("I graduated from college in 2010", "event"),
    ("Yesterday I bought a new bike", "event"),
    ("Grandma died in 2012", "event"),
]


@pytest.mark.parametrize(("content", "tag"), TAGGED)
def test_tags_say_what_kind_of_fact_it_is(content, tag):
    found = said(content)
    assert [tag in candidate.tags for candidate in found] == [True]


NOT_KEPT = """
What is your name?
Do you prefer tea or coffee
Is Sarah our designer?
Who is responsible for the release
Which one do you like
Why does the server run so slowly
Should we use Redis or Postgres?
If I lived in Rome, I would eat pasta every day.
Imagine I have a dog.
Maybe we could use Rust.
I might move to Norway.
I wish I had a cat.
If only the tests passed.
I'd buy a boat if I had money.
Suppose the server runs Debian.
What if we used Postgres
Let's say I have 100 apples.
Pretend you are my boss.
I would never do that.
I would like to order a pizza.
"I love tea" is a nice sentence.
She said "I love you" and left.
The proverb goes: "I cried because I had no shoes until I met a man who had no feet."
> I live in Berlin
Tom said he likes tea.
He told me that he is moving to Paris.
Translate: I live in Berlin and I love tea.
Proofread: "We has decided to moved the office."
Please rewrite this sentence: I like dogs.
For example, Tom likes tea.
In the movie the hero lives in Paris.
Once upon a time there was a king who lived in a castle.
Just kidding, I hate cats.
Write me a poem about my dog who loves cheese
Give me three examples of birds that live in Africa.
Explain how TCP works.
Can you write a function that adds two numbers?
Please make it shorter
Please fix the bug in line 3
I want you to act as a pirate.
I want to know how to sort a list.
I need help with my code.
I have a question about the API.
I'm looking for a good book
I'm getting an error when I run the script
I'm stuck on this problem.
My code does not work
Thanks, that works!
Hello there!
Good morning, how are you today?
I'm fine, thanks.
I'm so hungry I could eat a horse.
I'm not sure.
I'm on my way.
I'm going to bed.
I've read your answer.
I see.
Good luck on Monday
I agree.
I hope it works.
I think this is great.
I don't know.
I don't think so.
I love it!
I like your answer.
I like the second option.
I'll try that.
We'll see.
Let me know if you need anything.
Let's talk tomorrow.
Never mind.
Always happy to help!
See you on Monday!
Have a nice weekend
It is raining.
She likes tea.
They use Redis.
There is a problem.
This is the best.
The thing is that I don't know.
The first option sounds good.
You are great.
You should use Postgres.
I might as well.
2025-03-12 10:00:01 INFO server started on port 80
{"name": "Sarah", "likes": "tea"}
😂😂😂
""".strip().splitlines()


@pytest.mark.parametrize("content", NOT_KEPT)
def test_questions_wishes_quotes_requests_and_small_talk_are_not_kept(content):
    assert said(content) == []


SPOKEN_BY_AGENTS = [
    ("I deployed v2 to staging.", "fact", "The assistant deployed v2 to staging"),
    ("We decided to use Postgres because of JSON.", "decision", "We decided to use Postgres because of JSON"),
    (
        "I tried to install foo with pip but it failed because there is no wheel.",
        "failure",
        "The assistant tried to install foo with pip but it failed because there is no wheel",
    ),
    ("The build failed because the disk was full.", "failure", "The build failed because the disk was full"),
    (
        "I've fixed the login test by pinning it.",
        "fact",
        "The assistant has fixed the login test by pinning it",
    ),
]


@pytest.mark.parametrize(("content", "type", "kept"), SPOKEN_BY_AGENTS)
def test_of_an_assistant_only_what_was_done_decided_or_failed_is_kept_and_with_less_confidence(
    content, type, kept
):
    [candidate] = said(content, role="assistant", name=None)
    assert (candidate.type, candidate.content) == (type, kept)
    assert candidate.confidence < 0.6


@pytest.mark.parametrize(
    "content",
    [
        "I recommend using Redis.",
        "You prefer tea.",
        "The capital of France is Paris.",
        "I can help you with that.",
        "Let's go with Redis.",
        "I'll deploy it tomorrow.",
        "I am a language model.",
        "I found three results.",
        "Would you like me to deploy?",
        "You could try restarting the router.",
        "I prefer tea.",
    ],
)
def test_what_an_assistant_suggests_offers_or_claims_is_not_kept(content):
    assert said(content, role="assistant", name=None) == []


def test_what_the_system_says_is_not_kept():
    assert said("The user lives in Rome. You must answer in English.", role="system", name=None) == []


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        (None, "I prefer tea", "The user prefers tea"),
        ("user", "My dog is called Rex", "The user's dog is called Rex"),
        ("James", "I live with my cat", "James lives with James's cat"),
        ("晓雯", "I like tea", "晓雯 likes tea"),
    ],
)
def test_the_first_person_is_whoever_speaks(name, content, kept):
    assert [candidate.content for candidate in said(content, name=name)] == [kept]


def test_several_statements_of_a_sentence_are_several_candidates():
    found = said("I live in Berlin, work at Acme and have two cats.")
    assert [candidate.content for candidate in found] == [
        "Sarah lives in Berlin",
        "Sarah works at Acme",
        "Sarah has two cats",
    ]
    found = said("Anna uses Vim and Tom uses Emacs; our database is Postgres.")
    assert [candidate.subject for candidate in found] == ["Anna", "Tom", "database"]


def test_she_and_it_are_who_was_spoken_of_last_or_nobody():
    found = said("My sister lives in Rome. She works at a bank.")
    assert [candidate.content for candidate in found] == [
        "Sarah's sister lives in Rome",
        "Sarah's sister works at a bank",
    ]
    found = said("The database is Postgres 15. It runs on port 5433.")
    assert found[1].content == "The database runs on port 5433"
    assert found[1].subject == "database"
    assert [c.content for c in said("Anna and Tom live here in Rome. She likes tea.")] == [
        "Anna and Tom live here in Rome"
    ]


def test_a_correction_reaches_back_to_the_speakers_message_before():
    messages = [
        Message(content="The roofer starts on 7 April.", name="Kai", at=AT),
        Message(content="wait no, he starts on 14 April", name="Kai", at=AT),
        Message(content="he starts on 15 April", name="Lou", at=AT),
    ]
    found = RulesExtractor().candidates(messages)
    assert [(c.message, c.content) for c in found] == [
        (0, "The roofer starts on 7 April"),
        (1, "The roofer starts on 14 April"),
    ]
    assert found[1].tags == ("correction",)


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        ("I prefer tea", "Sarah"),
        ("My name is Sarah Chen", "Sarah"),
        ("My sister Lena lives in Rome", "Sarah's sister Lena"),
        ("The staging server runs Debian 12", "staging server"),
        ("Our team has five people", "team"),
        ("Tom's email is tom@example.com", "Tom's email"),
        ("We decided to use Postgres because it has JSON", "Postgres"),
        ("We chose Kotlin over Java", "Kotlin"),
        ("We tried to use Celery, but it deadlocked", "Celery"),
        ("do not use libfoo: it deadlocks", "libfoo"),
        ("The build works now", "build"),
        ("There is no lift in the building on Mill Lane", "lift"),
        ("No ticket is needed for kids", "ticket"),
    ],
)
def test_the_subject_is_whom_or_what_it_is_about(content, subject):
    assert [candidate.subject for candidate in said(content)] == [subject]


@pytest.mark.parametrize(
    ("content", "when"),
    [
        ("I moved to Berlin in 2019", day(2019, 1, 1)),
        ("Yesterday I bought a bike", day(2025, 3, 11)),
        ("I've lived in Rome since 2015", day(2015, 1, 1)),
        ("The conference is on 12 June 2025", day(2025, 6, 12)),
        ("I need to finish the report by Friday", day(2025, 3, 14)),
        ("We agreed to ship on Friday", day(2025, 3, 14)),
        ("We met on 3 January", day(2025, 1, 3)),
        ("Our deadline is May 3", day(2025, 5, 3)),
        ("The deadline moved from May 3 to May 10", day(2025, 5, 10)),
        ("The launch was postponed to June", day(2025, 6, 1)),
        ("The meeting is not on Tuesday but on Thursday", day(2025, 3, 13)),
        ("I like tea", None),
    ],
)
def test_dates_are_those_the_words_name_seen_from_when_they_were_said(content, when):
    assert [candidate.valid_from for candidate in said(content)] == [when]


def test_without_a_time_of_speaking_only_full_dates_count():
    assert said("We met on 3 January", at=None)[0].valid_from is None
    assert said("We met on 2025-01-03", at=None)[0].valid_from == day(2025, 1, 3)


def test_what_is_asked_to_be_remembered_matters_more():
    plain, asked = said("I'm left-handed")[0], said("Remember that I'm left-handed")[0]
    assert asked.importance > 0.8 >= plain.importance
    assert said("I am allergic to nuts")[0].importance > said("I prefer tea")[0].importance


def test_the_evidence_is_where_it_was_said():
    content = "Hello!  By the way, I live in Oslo; my dog is called Rex.\nThanks."
    found = said(content)
    assert [content[slice(*candidate.span)] for candidate in found] == [
        "I live in Oslo",
        "my dog is called Rex",
    ]


def test_code_logs_and_quoted_lines_are_left_out():
    content = (
        "I live in Oslo.\n```python\n# I prefer tabs\nname = 'I own a car'\n```\n> I hate tea\n"
        "2025-01-01 10:00:00 ERROR I own a boat\n    if (I.own(cat)) { return; }\n- I have a dog\n"
    )
    assert [candidate.content for candidate in said(content)] == ["Sarah lives in Oslo", "Sarah has a dog"]
    assert said("```\nI prefer tabs") == []


def test_what_memory_put_into_the_prompt_is_not_extracted_again():
    block = f"{OPEN}\nFacts and preferences:\n- [fact, 2025-01-01] Sarah lives in Rome.\n{CLOSE}"
    assert [c.content for c in said(f"{block}\nI prefer tea")] == ["Sarah prefers tea"]
    assert said(f"{OPEN}\nI own a boat. I live in Rome.") == []  # never closed
    assert said(f"{OPEN}\nERROR: disk full\n{CLOSE}", role="tool", name="recall") == []


def test_recalled_text_that_is_repeated_is_not_extracted_again():
    block = f"{OPEN}\n- [fact, 2025-01-01] Sarah lives in Rome. Tom owns a boat.\n{CLOSE}"
    recalled = recalled_from([block])
    assert said("sarah lives in Rome! I prefer tea.", recalled=recalled)[0].content == "Sarah prefers tea"
    assert said("I live in Rome", recalled=recalled) == []  # written down it would be the same
    assert said("Tom owns a boat", recalled=recalled) == []
    assert len(said("Tom owns a car", recalled=recalled)) == 1
    assert said("ERROR: full", role="tool", recalled=recalled_from(["ERROR: full"])) == []


TOOLS = [
    (
        'Traceback (most recent call last):\n  File "x.py", line 3\nValueError: bad value 3',
        "ValueError: bad value 3",
    ),
    ("bash: foo: command not found", "bash: foo: command not found"),
    ("3 failed, 115 passed in 4.2s", "3 failed, 115 passed in 4.2s"),
    ("HTTP 404 Not Found", "HTTP 404 Not Found"),
    ("fatal: not a git repository", "fatal: not a git repository"),
    ('{"ok": false, "error": "rate limited"}', "rate limited"),
    ("building…\nerror[E0382]: borrow of moved value", "error[E0382]: borrow of moved value"),
    ("npm ERR! code ENOENT", "npm ERR! code ENOENT"),
    ("Process exited with code 1", "Process exited with code 1"),
    ("E   AssertionError: assert 1 == 2", "AssertionError: assert 1 == 2"),
]


@pytest.mark.parametrize(("output", "line"), TOOLS)
def test_the_error_of_a_tool_is_one_short_failure(output, line):
    [candidate] = said(output, role="tool", name="shell")
    assert candidate.type == "failure"
    assert candidate.content == f"shell failed: {line}"
    assert candidate.subject == "shell"
    assert output[slice(*candidate.span)] == line


@pytest.mark.parametrize(
    "output",
    [
        "118 passed in 4.21s",
        "0 errors, 0 warnings",
        '{"ok": true, "error": null}',
        "3 results about error handling",
        "",
    ],
)
def test_a_tool_that_did_its_work_says_nothing_worth_keeping(output):
    assert said(output, role="tool", name="shell") == []


def test_a_failure_names_what_was_called():
    [candidate] = said("$ pip install foo\nERROR: no such package", role="tool", name="shell")
    assert candidate.content == "shell failed (pip install foo): ERROR: no such package"
    call = Message(content='I will call search(query="x").', role="assistant")
    answer = Message(content="HTTP 503 Service Unavailable", role="tool", name="search")
    [candidate] = RulesExtractor().candidates([call, answer])
    assert candidate.content == 'search failed (search(query="x")): HTTP 503 Service Unavailable'
    assert candidate.message == 1


OTHER_LANGUAGES = [
    "Ich wohne seit März in Leipzig.",
    "Je suis allergique aux noix.",
    "Asun Tampereella ja työskentelen kirjastossa.",
    "Prefiro viajar de comboio.",
    "Mi cumpleaños es el 8 de noviembre.",
    "Köpeğimin adı Pamuk.",
    "A nővérem orvos Szegeden.",
    "我对海鲜过敏。",
    "私は東京に住んでいます。",
    "저는 서울에 살아요.",
    "Я больше не ем мясо.",
    "أعمل مهندسة في الدوحة.",
    "אני גר בחיפה עם אשתי.",
    "Το μάθημα αρχίζει στις 6 Οκτωβρίου.",
    "मैं दिल्ली में रहता हूँ।",
    "ฉันอาศัยอยู่ที่เชียงใหม่",
]


@pytest.mark.parametrize("content", OTHER_LANGUAGES)
def test_other_languages_are_kept_word_for_word(content):
    [candidate] = said(f"  {content}\n")
    assert (candidate.content, candidate.type) == (content, "interaction")
    assert candidate.confidence <= 0.4
    assert f"  {content}\n"[slice(*candidate.span)] == content


@pytest.mark.parametrize(
    "content", ["Wo wohnst du denn jetzt?", "¿Dónde está la biblioteca?", "Danke!", "你好"]
)
def test_questions_and_greetings_of_other_languages_are_not_kept(content):
    assert said(content) == []


@pytest.mark.parametrize(
    "content", ["I live in São Paulo", "My café is called Zoë's", "I love crème brûlée 🍮"]
)
def test_foreign_names_do_not_make_a_text_foreign(content):
    [candidate] = said(content)
    assert candidate.type != "interaction"


def test_a_message_makes_a_bounded_number_of_candidates():
    content = " ".join(f"The server{n} uses port {n}." for n in range(500))
    assert len(said(content)) == MOST_PER_MESSAGE


def test_what_is_said_twice_in_a_message_is_kept_once():
    assert len(said("I prefer tea. I prefer tea! And I prefer tea.")) == 1


def test_the_result_is_the_same_each_time_and_asynchronously():
    messages = [Message(content=content, name="Sarah", at=AT) for content, *_ in KEPT]
    first = RulesExtractor().candidates(messages)
    assert first == RulesExtractor().candidates(messages)
    assert first == asyncio.run(RulesExtractor().extract(messages))
    assert {candidate.message for candidate in first} == set(range(len(messages)))
