"""The words that the table of clauses is made of: verbs by what they say of their subject, forms of what follows."""

from __future__ import annotations

from typing import Final

from remanence.extractors.patterns import whole, words

LIKE: Final = words(
    "prefer like love hate enjoy dislike adore loathe detest favour favor despise appreciate fancy admire "
    "dread rather"
)
MOOD: Final = (
    r"(?:so |very |really |quite |a bit |a little |too |pretty |kind of |totally |all |just |feeling |"
    r"super |absolutely )*"
    r"(?:ok|okay|fine|good|great|well|tired|exhausted|happy|sad|glad|sorry|sure|unsure|afraid|ready|here|"
    r"there|back|done|busy|late|"
    r"early|excited|bored|hungry|thirsty|curious|confused|stuck|lost|right|wrong|aware|able|available|"
    r"free|grateful|thankful|"
    r"worried|nervous|proud|impressed|surprised|interested|home|away|awake|alive|in trouble|in a|in the|"
    r"at the|on it|on (?:my|the) way|on my|on the way|"
    r"not|n't|like|about|kidding|joking|serious|certain|honest|new here|all set|all ears|with you|having|"
    r"looking|wondering|trying|"
    r"getting|going|doing|thinking|guessing|hoping|asking|saying|talking|just|over|close|open to|under|no|"
    r"convinced|positive|"
    r"better|amazing|awesome|terrible|bad|nice|cool|perfect|beautiful|lovely|wonderful|horrible|fun|funny|"
    r"interesting|important|"
    r"hard|easy|difficult|simple|clear|obvious|possible|impossible|true|false|likely|unlikely|weird|"
    r"strange|crazy|annoying|"
    r"delicious|yummy|gone|up|down|out|off|on|everything|something|nothing|it|that|this|what|why|how|"
    r"where|when|who|because|so|"
    r"next|soon|enough|too|very|pretty|quite|really|kinda|red|green|a mess|a pain|a shame|a joke|a "
    r"disaster|a bit|a good|a great|a nice|"
    r"a problem|a question|a lot|a must|key|worth|welcome|to be|as|necessary|fair|short|big|huge|small|"
    r"slow|fast|sunny|rainy|cold|hot|warm|at work|me|us|you|him|her|them)"
)
PROFILE: Final = (
    r"(?:also |a|an|the|one|\d|from|based|allergic|intolerant|vegan|vegetarian|pescatarian|lactose|gluten|"
    r"left|right-handed|left-handed|married|single|"
    r"divorced|widowed|engaged|pregnant|diabetic|coeliac|celiac|colou?r|deaf|blind|dyslexic|autistic|"
    r"bilingual|fluent|native|retired|"
    r"self-employed|unemployed|freelancing|responsible|in charge|born|called|named|originally|currently|"
    r"half|part|head|ceo|cto|cfo|"
    r"chief|director|lead|senior|junior|vice|co-founder|founder|president|chair|captain|short-sighted|"
    r"near-sighted|asthmatic|"
    r"terrified of|afraid of|scared of|claustrophobic|addicted|certified|trained|licensed|insured|"
    r"registered|enrolled|employed|on call|on a|"
    r"in my|in (?:my|his|her) |in (?:charge|therapy|remission|recovery|sales|marketing|finance|it|hr|"
    r"engineering|grade|year|year|second|third)|"
    r"twenty|thirty|forty|fifty|sixty|seventy|eighty|my|your|our|his|her|\w+ years? old|\w+ (?:cm|kg|"
    r"metres|meters|feet)|member|part of|twins?|siblings|"
    r"colleagues|neighbou?rs|friends with|related|catholic|jewish|muslim|hindu|buddhist|christian|atheist|"
    r"agnostic|good at|bad at|"
    r"interested in|into|keen on|passionate about|fond of|used to|at risk|an?other)"
)
HAVE_NOT: Final = whole(
    r"(?:a |an |the |one |some |no |any |n't |lots of |many |two )?(?:\w+ )?(?:question|questions|idea|"
    r"ideas|problem|problems|trouble|issue|issues|look|fun|doubt|"
    r"doubts|time|feeling|chance|chat|hard time|good|great|nice|lovely|minute|second|moment|point|clue|"
    r"thought|thoughts|blast|sense|say|it|that|this|them|"
    r"request|favou?r|suggestion|concern|concerns|reason|luck|lunch|dinner|breakfast|coffee|lot to)"
)
LONG_TERM: Final = words(
    "learn become visit move buy start travel study retire quit adopt switch join launch climb publish "
    "reduce lose stop grow "
    "master earn hire migrate ship retire sell renovate volunteer hike cycle swim plant race compete"
)
EVENTS: Final = words(
    "move marry buy sell adopt join leave quit start graduate retire found launch release deploy ship "
    "hire fire lose win "
    "break die publish open close migrate merge finish complete pass fail receive inherit divorce engage "
    "elect promote "
    "arrive become begin end stop cancel postpone reschedule rename replace upgrade downgrade switch "
    "change sign book "
    "order enrol enroll build renovate plant donate resign transfer relocate pay acquire approve reject "
    "purchase rent lease "
    "earn get-married diagnose operate hurt crash adopt visit attend meet travel fly run climb plan "
    "schedule register "
    "grow study live work teach create design write paint record establish make give host celebrate "
    "recover cure grow ask"
)
DONE: Final = words(
    "deploy fix create change update install add remove configure migrate merge release rename delete "
    "write run test push "
    "commit set build implement refactor upgrade enable disable restart move replace publish revert roll "
    "split archive "
    "deprecate rotate apply patch downgrade pin rebuild"
)
NOT_KEPT: Final = words(
    "think guess suppose wonder hope wish believe mean see understand agree disagree say tell try thank "
    "apologise "
    "apologize look sound seem feel bet swear assume imagine suspect doubt expect hear notice realise realize "
    "appear recall remember forget notify worry care matter suggest recommend propose mind explain please "
    "chat figure "
    "reckon claim report reply respond answer mention talk speak-of complain joke announce argue insist "
    "add-that "
    "predict warn admit deny know find let help bother show thank continue"
)
TELLS: Final = words(
    "say tell claim think believe mention report suggest announce argue insist predict warn admit deny "
    "complain hear ask reply "
    "answer swear recommend propose joke guess hope wish wonder explain assume expect worry imagine dream"
)
STATES: Final = words(
    """use run live work need require cost support contain include belong own handle manage lead maintain study speak
    prefer like love hate depend store sit take expire start end close open happen ship deploy host provide return
    accept allow weigh play teach come have keep stand face cover connect serve send receive produce sell make
    consist comprise
    listen charge pay earn drive commute exceed limit total measure last begin arrive leave depart renew review approve
    oversee supervise report own replace inherit extend implement read write rely sync stay sleep eat drink wear collect
    breed train coach swim go meet hold offer check process build get call identify suffer attend volunteer practise
    practice keep carry share do use lie point map default fit match reset rotate land overlap operate rest cater graze
    grow bill bark want wake cycle log wear sign publish occur equal cache assign link block prohibit forbid trigger
    throw emit fail crash hang retry generate validate import export load save speak name range vary tend become stay
    remain handle grade bake cook specialise specialize feature"""
)
