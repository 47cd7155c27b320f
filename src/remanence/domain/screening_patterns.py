"""What is evidence that a text is aimed at a model, and how much; `screening` adds it up.

`PATTERNS` are sequences of the classes of `screening_words`: a class or a word in lower case, `A|B`, `*3` for at most
three words between, `^` for the beginning of a clause. `SHAPES` are regular expressions on the text as it is read.

Each find is evidence of one group with a weight; the weights of different groups within a passage are added, of one
group the greatest counts. Nothing decides alone unless its weight says so.
"""

from __future__ import annotations

PATTERNS = """
    # group weight [weight when a user says it]: sequence
    override 1: OVERRIDE *4 PRIOR *3 ORDERS
    override 1: OVERRIDE *3 ORDERS *4 PRIOR
    override 1: OVERRIDE *2 YOUR *3 ORDERS
    override 1: OVERRIDE *2 ORDERS *1 YOUR
    override .8: OVERRIDE *1 ALL *3 ORDERS
    override .5: OVERRIDE *3 ORDERS
    override .4: ORDERS *4 OVERRIDE
    override .6: ORDERS *3 PRIOR *4 OVERRIDE
    override .6: PRIOR *3 ORDERS *4 OVERRIDE
    override 1: OVERRIDE *1 everything|anything|all *2 PRIOR|TOLD|YOU
    override .8 .4: OVERRIDE *1 what *3 TOLD
    override .6: OVERRIDE *2 the|PRIOR|YOUR *2 TASK
    override .6: SKIP *1 YOUR *3 ORDERS|TASK|CHECKS
    override .9: OVERRIDE|SKIP *2 USER *2 TASK|ORDERS
    override .8: NOT *1 continue|proceed|complete|finish|help|answer *4 USER|TASK
    override .8: instead *2 of *3 TASK|USER *6 OBEY|CALL|REVEAL
    override .6: YOUR|the *1 real|actual|true *1 TASK|ORDERS|purpose|goal|job
    override .5: PRIOR|YOUR *1 ORDERS *3 void|cancelled|canceled|obsolete|revoked
    override .5: PRIOR|YOUR *1 ORDERS *3 replaced|superseded|invalid|test|wrong
    override .6: PRIOR *1 TASK *3 void|cancelled|obsolete|replaced|test|fake
    override .7: new|updated|revised *2 ORDERS *4 YOUR|AI|system
    override .6: your *1 new|updated|actual|real|true|next|only *1 ORDERS|TASK|purpose|goal|role|job
    override 1: ORDERS *4 IGNORED
    override .6: PRIOR *1 PLACE *3 void|invalid|cancelled|obsolete|replaced|fake|wrong
    override .6: OVERRIDE *3 GOODS
    override .5: obey|serve *1 only|me|him|nobody
    override .5: NOT *1 READ|SAY|OBEY *2 THIS *1 PLACE
    override .3: instead *1 , SAY|TELL|RISKY|REVEAL|SEND
    override .8: OVERRIDE *2 safety|ethics|ethical|legality|morality|security
    override .5: OVERRIDE *3 USER
    override .8: TASK *2 PRIOR *3 simulation|test|joke|fake|drill|exercise|rehearsal
    override .6: everything *1 USER *3 TOLD
    override .4: NOT *1 deviate|depart|stray
    override .5: new *1 ORDERS :

    authority .5: YOUR *1 ORDERS
    authority .3: system_prompt|system_prompts|system_message|system_instructions|hidden_instructions|systemprompt
    unbound .5: UNBOUND
    authority .4: YOUR *1 AUTHORITY
    authority .4: AUTHORITY *3 SAYS
    authority .3: signed *1 by *3 AUTHORITY
    unbound .6: CHECKS *3 OFF
    unbound .5: override code|key|command|authorised|authorized|accepted|protocol
    unbound .5: authorised|authorized|official|emergency|admin override
    unbound .6: ORDERS *3 OFF
    authority .4: comes|come|came|sent|issued|approved *2 by|from *3 AUTHORITY
    authority .5: you HAS been AGREED|unlocked|selected|reprogrammed|reset
    authority .5: in *1 YOUR *1 ORDERS
    unbound .6: CHECKS *4 UNBOUND
    authority .6 .4: SKIP|OVERRIDE *2 YOUR|ALL *2 CHECKS
    authority .3 .1: SKIP *2 CHECKS
    authority .8 .5: you *3 AGREED|appointed|promoted|made *3 AUTHORITY
    authority .4: AUTHORITY *3 AGREED
    authority .6 .4: AUTHORITY *2 wants|asks|needs|expects|orders|requires you
    authority .5: you have|got *2 admin|administrator|root *1 rights|access|privileges|permissions
    authority .5: you have|got *2 full|unlimited|elevated *1 rights|access|privileges|permissions
    authority .5: USER *3 AGREED *2 AUTHORITY
    authority .5: granted|elevated|upgraded|promoted *3 AUTHORITY
    authority .4: an *1 AI *3 who|with|without|that *2 no|UNBOUND|rules|limits
    unbound .6: PERSONA *6 UNBOUND
    unbound .5: an|a *1 AI|MODEL *6 UNBOUND

    address .6 .2: ^ DEAR *2 FOR *3 AI|MODEL
    address .7 .2: ^ DEAR *3 AI
    address .5 .1: ^ DEAR *2 MODEL ,|!
    address .6 .1: ^ AI :|,|!|;
    address .5 .1: ^ MODEL ,|!
    address .3 .1: ^ MODEL :
    address .4 .1: ^ *2 MODEL|AI :
    address .5 .1: , *1 MODEL|AI ,|!
    address .5 .1: FOR *3 MODEL|AI :|,
    address .6 .2: AI *6 MUST
    address .5 .2: MODEL *5 MUST
    address .5 .2: MODEL|AI *2 READ *1 THIS
    address .5 .2: WHEN *3 MODEL|AI *3 READ
    address .4 .2: AI *1 REMEMBER|SAY|SEND|REVEAL|RISKY|HIDE|CALL|OVERRIDE
    address .4 .1: FOR *2 AI
    address .4 .1: you *1 MUST|are *2 an *2 AI
    address .3 .1: as *1 an|a *1 AI|AI
    address .5 .2: MODEL|AI directive|directives|instruction|instructions|only|note|notice|alone
    address .4 .2: FOR *2 MODEL alone|only
    address .4 .2: other|ALL *1 MODEL|AI *2 HAS|MUST|prefer|already
    address .4: reader|readers *1 of *1 THIS *1 PLACE
    address .3 .2: MODEL|AI *2 instructed|programmed|required|configured
    address .6 .4: if *1 you *1 are *2 AI
    address .4 .1: AI :
    address .3 .1: helpful|intelligent|smart *1 MODEL|AI
    # A person does not speak to several models: what does was pasted.
    address .6 .4: ^ *2 PLURAL :
    address .6 .4: DEAR|FOR *4 PLURAL *2 :|,|who|that|reading|MUST
    address .5 .4: PLURAL *6 MUST
    address .5 .4: PLURAL *2 READ *1 THIS
    address .5 .4: WHEN *1 an|any|ALL *2 AI|MODEL *4 READ|MUST
    address .5 .4: WHEN *1 your *1 AI|MODEL *3 READ
    address .5 .4: invisible *1 to *1 USER

    demand .6 .2: you *1 MUST *1 NOW
    demand .6 .2: you MUST *1 ALWAYS|only
    demand .4 .1: you MUST
    demand .4 .1: YOU MUST
    demand .4 .1: MUST YOU
    demand .6 .4: you *1 are|will NOW
    demand .5 .2: you are NOT longer
    demand .4 .2: you may NOW
    demand .6 .2: FROMNOW *1 you
    demand .5 .1: FROMNOW *4 SAY
    demand .3 0: FROMNOW
    demand .5 0: ALWAYS *1 SAY
    demand .4 0: SAY ALWAYS
    demand .3 0: SAY *3 ALL|every question|questions|message|messages|chat
    demand .3 0: you are required|instructed|asked|authorised|authorized|expected|permitted
    demand .5 .2: PRETEND *3 you|AI|MODEL|that|PERSONA
    demand .4 .4: eres|sos|bist|es|sei|sois|sen|ты|tu *1 un|una|ein|eine|une|NOW *1 AI|MODEL
    demand .1 0: ^ SAY *1 that|only|with
    demand .3 0: ^ NOT SAY
    demand .5 0: important|essential|crucial|imperative|vital that you
    demand .4 0: MUST *1 be *1 executed|obeyed|followed|carried
    demand .6 .2: from *3 on|onwards|onward|forward *1 you
    demand .5 .2: you will *1 ALWAYS|only|refuse|obey
    demand .6 0: ^ SAY *2 ALL *2 question|questions|message|messages|request|requests
    demand .6 0: answer *1 to *2 ALL *1 question|questions
    demand .4 0: it *1 is mandatory|forbidden|required|obligatory|compulsory|prohibited
    demand .6 .3: i|we *2 authorise|authorize|permit|allow|order|instruct|command|empower you
    demand .5 .2: cleared|AGREED|selected|chosen you
    demand .4 .1: on behalf of *2 USER|account|holder|owner|AUTHORITY
    demand .4 .1: MODEL|AI|you *2 AGREED
    demand .4 .2: you were|are *1 trained|programmed|designed|built|created|instructed|configured
    demand .6 0: YOUR *1 next|following|final|first|every|each *1 answer|reply|response|message
    demand .6 0: YOUR *1 next|following|final|first|every|each *1 output|answers|replies|responses
    demand .4 0: whatever|no_matter *4 shows|says|contains|happens|asks|wants|told
    demand .4 .2: ^ PRETEND
    demand .3 0: wants|want|wanted you to
    demand .4 0: every|each|all *1 reply|replies|response|responses|answer|answers|output|outputs
    demand .3 0: SAY|summarize|summarise *4 as follows
    demand .3 0: ^ SAY with
    demand .5 .3: MUST *1 NOT *1 SAY|TELL
    demand .4 .2: request|require|ask|urge|insist *1 that *2 PLURAL|AI

    trigger .5 0: WHEN *4 USER *4 ASKS
    trigger .3 .1: WHEN *4 USER
    trigger .4 0: WHEN *3 someone|anyone|anybody|somebody *4 ASKS
    trigger .5 0: WHEN *2 you *2 READ *1 this
    trigger .4 0: when|whenever|if|once|every_time|each_time *1 you *1 DOING
    trigger .5 .1: WHEN *1 asked
    trigger .5 0: WHEN *2 YOU|тебя|вас|dich|te|ti|man *1 ASKS
    trigger .5 0: USER *3 sorarsa|sordugunda|sorunca|पूछे|পুছলে
    trigger .3 0: on|at|in|during *1 next *1 login|visit|session|run|turn|reply|purchase|order
    trigger .3 0: if|when pressed|prompted|questioned
    trigger .4 0: WHEN *1 you|YOU|AI|MODEL *1 READ
    trigger .3 0: WHEN *2 READ *1 THIS
    trigger .5 0: cuando|quand|lorsque *1 on *1 te *2 ASKS
    trigger .4 0: WHEN *3 topic|subject|conversation
    trigger .3 0: WHEN *8 , SAY|TELL|REVEAL|SEND|RISKY|CALL|ALWAYS|NOT
    trigger .4 0: FIRST
    trigger .4 0: ^ trigger :
    trigger .4 0: in *1 the *1 session *1 after
    trigger .3 0: until *1 then *3 normally

    user .4 .2: the|your|this|their|THIS|que|le|la|el|o|il|de|den|dem|der|das|do|al|ao|los USER
    user .3 .2: USER
    user .2 .1: your|their|the PEOPLE
    user .5 .4: your|their user|users|human|humans|principal|operator
    user .4 .3: the user's

    secrecy 1: NOT *1 TELL *2 USER
    secrecy .9: USER *2 MUST|NOT *1 NOT|be|ever *2 know|learn|see|notice|hear|told|informed|find|aware
    secrecy .9: USER *2 NOT *1 know|learn|see|notice|hear
    secrecy 1: NOTELL *3 USER
    secrecy 1: USER *3 NOTELL
    secrecy .9: HIDE *4 USER|AUTHORITY|PEOPLE
    secrecy .4 .2: HIDE *3 ALL|THIS|the|its|your
    secrecy .9: USER *2 NOT *1 finds|notices|learns|knows|sees|hears|suspects|realises|realizes
    secrecy .4 .1: deny *3 that|it|this|everything|having
    secrecy .9: NOT *1 REVEAL *5 USER|ORDERS
    secrecy .4 0: needs|need|requires|require no *3
    secrecy .6: NOT *1 TELL|REVEAL *1 anyone|anybody|nobody *4 ORDERS|THIS
    secrecy .6: SECRETLY *1 USER
    secrecy .4 .3: SECRETLY
    secrecy .9: WITHOUT *1 ASKING *2 USER
    secrecy .9: USER *2 WITHOUT|SECRETLY
    secrecy .4 .3: WITHOUT *1 ASKING
    secrecy .3 .1: NOT *1 ASKING *3 needed|necessary|required
    secrecy .3 0: NOT *2 TELL
    secrecy .6: NOT *1 TELL *2 THIS *1 PLACE|ORDERS
    secrecy .4 .2: do *1 not *1 let *2 USER

    exfil .5 .2: SEND *8 MAIL
    exfil .4 .2: bcc|cc *3 MAIL
    exfil .5 .2: SEND *8 URL
    exfil .5 .2: SEND *8 url|urls|link|links
    exfil .4 .2: gather|collect|dump|reveal|print|disclose|expose *8 URL
    exfil .6 .3: repeat|output|print|recite|show|write *4 words|text|everything|lines|ALL above|verbatim|before
    exfil .4 .2: REVEAL *4 verbatim|word
    exfil .6: SEND|REVEAL *4 YOUR *2 ORDERS|SENSITIVE
    exfil .5 .2: SEND|REVEAL *5 SENSITIVE
    exfil .5 .2: ask|asking *1 for *4 SENSITIVE
    exfil .3 .1: READ|find|write|list|extract|enter|give|state *4 SENSITIVE|DATA
    exfil .3 .1: SEND *4 DATA
    exfil .6 .3: SEND|REVEAL *1 ALL *2 DATA
    exfil .6 .3: SEND|REVEAL *2 YOUR|their *2 DATA
    exfil .7 .3: SEND|REVEAL *1 ALL *2 SENSITIVE
    exfil .4 .2: SAY *5 SENSITIVE
    exfil .4 .2: SEND *2 yours|YOUR
    exfil .4 .2: SENSITIVE *5 SEND *4 URL|to|address
    exfil .3 .2: USER *3 SENSITIVE
    exfil .3 .2: SENSITIVE *3 USER
    exfil .8 .4: SEND|REVEAL *4 USER *3 SENSITIVE|DATA
    exfil .8 .4: SEND|REVEAL *4 SENSITIVE *4 USER
    exfil .8 .4: SEND *4 DATA *4 USER
    exfil .3: fetch|visit|open|load|download *6 URL
    exfil .3: the|first|second|your|YOUR *1 sentence|answer|answers|reply *2 is *3 SENSITIVE

    action .4 .1: ^ RISKY *5 ALL|YOUR|the|it
    action .3 .1: ^ RISKY
    action .4 .2: RISKY *4 USER
    action .4 .2: RISKY *5 SENSITIVE
    action .4 .2: CALL *4 TOOL
    action .5 .4: TOOL *3 with *6
    action .4 .2: RISKY *5 URL
    action .3 .1: MUST *3 RISKY|CALL|SEND|REVEAL
    action .3 .1: NOW RISKY
    action .2 .1: and|then|to|please|not|, RISKY|SEND|REVEAL
    action .3 .1: MUST *3 SAY|TELL
    action .4 .1: SAY|TELL *3 USER *2 that|to|it|is
    action .3 .1: SAY|TELL *3 them|PEOPLE *2 that|to|it|is
    action .2 .1: ^ SAY|TELL
    action .3 .1: treat|regard|consider|classify|mark|label|flag *4 as
    action .4 .1: RISKY *4 limit|limits
    action .3 .1: state|say|claim|answer|mention that

    memory .6 0: REMEMBER *6 USER *5 LASTING|AGREED
    memory .5 0: REMEMBER *2 that|as|in *4 USER
    memory .4 0: REMEMBER *6 LASTING
    memory .5 0: REMEMBER *5 FROMNOW
    memory .5 .2: REMEMBER|RISKY|REVEAL|SKIP|OVERRIDE *5 MEMORY
    memory .5 .2: replace|update|delete|correct|fix *5 MEMORY
    memory .4 .1: REMEMBER *2 memory
    memory .8 .2: USER *3 HAS *3 AGREED *2 ALL|future|further|payment|payments|purchases|transfers|sharing|access
    memory .5 .2: USER *3 HAS *3 AGREED
    memory .3 0: USER *2 AGREED
    memory .6 .1: update|change|edit|set|RISKY *2 USER *1 profile|record|settings|preferences|preference|role
    memory .5 0: REMEMBER *2 for later|good|ever
    memory .4 0: as *3 USER *2 told|said
    memory .4 0: treat|consider|accept *6 as *2 LASTING|verified|granted
    memory .5 0: as *3 came|come|sent|were|was *2 from|by *2 USER
    memory .4 0: USER *1 prefers|wants|likes|expects *1 that|you
    memory .3 0: ^ REMEMBER that|:
    memory .4 0: MEMORY
    memory .3 0: the|only *1 only *2 source|authoritative

    promote .4 0: GOODS
    promote .3 0: RECOMMEND
    promote .3 0: FROMNOW *4 use|choose|trust|prefer
    promote .3 0: SAY *6 as if
    promote .4 0: full|top|five *1 marks|points|stars|score
    promote .4 0: rank|place|put|list|mark|rate|score *4 first|top|highest|best|excellent
    promote .4 0: highest|best|maximum|top|perfect *1 score|rating|rank|grade|mark|candidate|choice|match
    promote .3 0: ALWAYS *1 recommend|praise|suggest|endorse|promote|mention|prefer
    promote .3 0: SAY *3 only|ALWAYS|instead

    wrapped .8: DECODE *8 and|then|, *3 OBEY
    wrapped .9: OBEY *6 decoded|hidden|encoded
    wrapped .5: DECODE *6 OBEY
    wrapped .6: instead *4 OBEY
    wrapped .4: decoded *1 text|message|content|instructions|string

    frame .3 .1: ones|one|text|ORDERS|steps below|following
    frame .5 .3: end *1 of *3 PLACE|context|data|memory|conversation|results|email|quote
    frame .5 .3: the|THIS *1 PLACE|quote|context|conversation *2 BEGIN
    frame .5 .3: what *1 follows *1 is|comes
    frame .6 .4: real|actual|new *1 conversation|instructions|task|session *1 starts|begins|follow|follows

    harmless -.6: ABOUT
    harmless -.6: said|says|replied|shouted|whispered|cried|wrote|asked|answered the|he|she|they|his|her
"""

# Group, weight, weight when a user says it, regular expression. Every repetition is bounded.
SHAPES: tuple[tuple[str, float, float, str], ...] = (
    (
        *("role", 1, 1),
        r"<\|(?:im_start|im_end|im_sep|begin_of_text|start_header_id|end_header_id|eot_id|system|user|"
        r"assistant|endoftext|end_of_turn|start_of_turn|[a-z_]{2,30}_token)\|>",
    ),
    (
        *("role", 1, 1),
        r"\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|<\|?｜?(?:user|assistant|system)(?:｜|\|)>|<｜[a-z"
        r"▁ _]{2,30}｜>",
    ),
    (
        *("role", 1, 1),
        r"</?s>\s{0,8}\[?/?inst",
    ),
    (
        *("role", 0.8, 0.8),
        r"</?(?:system|assistant|developer|sys)(?:[ _-]?(?:prompt|message|instructions?|note|reminder)"
        r")?\s{0,8}>",
    ),
    (
        *("role", 0.5, 0.4),
        r"</?(?:human|user|instructions?|prompt|command|important|admin|secret|hidden|thinking)(?:[ _-"
        r"][a-z]{1,20})?\s{0,8}>",
    ),
    (
        *("role", 0.7, 0.7),
        r"(?m)^\W{0,4}[\[({<]\W?(?:system|developer|assistant|admin|operator)[ _-](?:message|prompt|di"
        r"rective|note|override|instructions?|notice|command|update)",
    ),
    (
        *("role", 0.3, 0.2),
        r"(?m)^\W{0,4}[\[({]\s?(?:system|developer|assistant|admin|operator)\s?[\])}]",
    ),
    (
        *("role", 0.6, 0.5),
        r"(?m)^\W{0,6}(?:system|developer|operator|admin|administrator|root)(?: (?:message|prompt|note"
        r"|override|update|notice|instructions?))?\W{0,2}:\s{0,8}(?=(?:the (?:user|operator|following|abov"
        r"e|assistant|model|safety|admin|previous)|you|your|all|from|new|ignore|always|never|do|skip|r"
        r"eveal|grant|override|this|user|admin|confirmation|debug|safety|enable|disable|du|sie|for|ins"
        r"tructions?|tu|vous|eres|usted|ты|вы|now|as|please|remember|send|from)\b)",
    ),
    (
        *("role", 0.8, 0.8),
        r"(?m)^(?:human|user):.{0,400}\n\s{0,3}(?:assistant|ai):.{0,300}?\b(?:delet|confirm|approv|tra"
        r"nsfer|releas|grant|password|understood|of course|disabl|send|done\b)",
    ),
    (
        *("role", 0.8, 0.8),
        r"</(?:tool_result|function_results?|results?|document|search_results|output|tool_output|user_"
        r"input|data|context)>\s{0,4}(?:<|human|user|system|assistant|new|ignore|now|you)",
    ),
    (
        *("role", 0.6, 0.3),
        r"(?m)^#{1,4}\s?(?:instruction|response|system|new instructions?|system prompt|system message|"
        r"override|human|assistant)s?\s?:",
    ),
    (
        *("role", 0.5, 0.2),
        r"(?m)^#{1,4}\s?response\s?:",
    ),
    (
        *("role", 1, 0.5),
        r"[\"']role[\"']\s{0,4}:\s{0,4}[\"'](?:system|developer|assistant|tool)[\"']\s{0,4},\s{0,4}[\""
        r"']content[\"']",
    ),
    (
        *("role", 0.6, 0.4),
        r"[\"'](?:instructions?|system_prompt|system|directive)[\"']\s{0,4}:\s{0,4}[\"'](?:always|neve"
        r"r|ignore|you|do not|from now|approve|tell)",
    ),
    (
        *("frame", 1, 1),
        r"\]\]>\s{0,4}</|-->\s{0,4}(?:<system|system:|ignore)",
    ),
    (
        *("frame", 0.6, 0.5),
        r"\A\s{0,4}[\"'][}\])]{1,4}\s{0,3},",
    ),
    (
        *("frame", 0.6, 0.5),
        r"(?m)^[-=#*~ ]{2,40}(?:end|begin|start) (?:of )?(?:the )?(?:tool|document|context|user|system"
        r"|quoted|memory|untrusted|retrieved|search|admin|new|input|data|output|prompt|instructions?)",
    ),
    (
        *("tool", 1, 1),
        r"</?(?:tool_calls?|function_calls?|antml:invoke|invoke|tool_use|use_tool|tool_code|execute_co"
        r"mmand)\b[^>]{0,80}>",
    ),
    (
        *("tool", 1, 0.8),
        r"[\"'](?:tool_calls|function_call|tool_use)[\"']\s{0,4}:\s{0,4}[\[{]",
    ),
    (
        *("tool", 0.8, 0.6),
        r"<(?:remember|memory_write|save_memory|store|command|execute|run)\b[^>]{0,100}>",
    ),
    (
        *("tool", 0.7, 0.5),
        r"(?m)^action:\s?[\w. ]{2,40}\n\s{0,4}action input:",
    ),
    (
        *("tool", 0.6, 0.4),
        r"\b(?:call|run|invoke|execute|use)\s{1,8}[a-z_]{2,30}\.?[a-z_]{0,30}\([^)\n]{0,200}\)",
    ),
    (
        *("tool", 0.6, 0.3),
        r"(?:curl|wget|iwr)\s[^|\n]{0,200}\|\s{0,3}(?:sudo\s)?(?:ba|z)?sh\b|\bnc\s{1,8}-?[\w.\s-]{3,40}-e"
        r"\b|\brm\s{1,8}-rf\s{1,8}[/~]|base64 -d\s?\|",
    ),
    (
        *("tool", 0.4, 0.2),
        r"os\.system\(|subprocess\.|eval\(|exec\(|child_process|powershell\s",
    ),
    (
        *("exfil", 1, 1),
        r"!\[[^\]\n]{0,200}\]\(\s{0,3}https?://[^)\s]{1,300}(?:=|/)\s{0,2}(?:[{<\[$]|%7b|your|data|sec"
        r"ret|base64|insert|conversation|summary)",
    ),
    (
        *("exfil", 0.9, 0.8),
        r"<img[^>]{0,200}src\s?=\s?[\"']?https?://[^>\"']{1,300}=\s{0,2}[{<\[$]",
    ),
    (
        *("exfil", 0.7, 0.6),
        r"\]\(\s{0,3}https?://[^)\s]{1,300}[?&#][^)=\s]{1,40}=\s{0,2}[{<\[$]",
    ),
    (
        *("exfil", 0.5, 0.2),
        r"~/\.(?:ssh|aws|env|config|npmrc|netrc|gnupg)|\bid_rsa\b|/etc/(?:passwd|shadow)|(?<![\w.])\.e"
        r"nv\b",
    ),
    (
        *("exfil", 0.5, 0.4),
        r"https?://[^\s)]{1,200}[?&][\w-]{1,30}=(?=[\s)\"'.,]|$)",
    ),
    (
        *("exfil", 0.5, 0.4),
        r"https?://[^\s)\"']{1,200}[?&=/](?:\{|<|\[|%7b)[a-z_ ]{2,60}(?:\}|>|\]|%7d)",
    ),
    (
        *("hiding", 0.5, 0.5),
        r"font-size\s?:\s?[01](?:px|pt|em)?\b|display\s?:\s?none|visibility\s?:\s?hidden|opacity\s?:\s"
        r"?0(?![.\d])|color\s?:\s?(?:white|#fff)|left\s?:\s?-\d{3,5}px|\x1b\[8m",
    ),
    (
        *("hiding", 0.5, 0.5),
        r"<!--[^>]{0,40}\b(?:ai|llm|assistant|agent|model|bot)s?\b|<meta[^>]{0,40}\b(?:ai|llm|agent|as"
        r"sistant)[-_ a-z]{0,20}\b",
    ),
    (
        *("secrecy", 0.5, 0.5),
        r"\b(?:don't|do not|never|without) (?:ever )?(?:tell|inform|alert|notify|warn)(?:ing)? (?:him|"
        r"her|them|me|us|anyone|anybody|people)\b[^.\n]{0,40}\b(?:this (?:message|note|text|page|instr"
        r"uction)|these (?:steps|instructions))",
    ),
)

# The same in scripts whose words are not parted by spaces.
UNSPACED: tuple[tuple[str, float, float, str], ...] = (
    (
        *("override", 1, 1),
        r"(?:忽略|无视|無視|忽視|忘记|忘記|忘掉|不要理会|不要理會|不要遵守|别管|覆盖|抛开|跳过).{0,1"
        r"2}?(?:指令|指示|提示|规则|規則|命令|要求|设定|設定|限制|"
        r"说明|內容|内容|对话)",
    ),
    (
        *("override", 1, 1),
        r"(?:指示|命令|ルール|規則|プロンプト|指令|制限|設定|ガイドライン).{0,10}?(?:無視|忘れ|従わ"
        r"ない|破棄|取り消|無効)",
    ),
    (
        *("override", 1, 1),
        r"(?:지시|지침|명령|규칙|프롬프트|제한|설정).{0,10}?(?:무시|잊어|잊으|따르지|취소|해제)",
    ),
    (
        *("override", 1, 1),
        r"(?:เพิกเฉย|ละเว้น|ลืม|ไม่ต้องสนใจ|อย่าสนใจ|ไม่สนใจ|มองข้าม).{0,20}?(?:คำสั่ง|คำแนะนำ|กฎ|ข้อก"
        r"ำหนด)",
    ),
    (
        *("secrecy", 1, 1),
        r"(?:不要|别|別|勿|不得|不能|无需|無需|不必|切勿).{0,4}?(?:告诉|告訴|告知|通知|提及|让|讓|透"
        r"露给|询问|詢問).{0,4}?(?:用户|使用者|用戶|客户|"
        r"主人)",
    ),
    (
        *("secrecy", 1, 1),
        r"(?:ユーザー?|利用者|使用者).{0,4}?(?:には|に|へ)?.{0,4}?(?:知らせ|伝え|教え|言わ|話さ|気づ"
        r"か|見せ|告げ|通知).{0,2}?(?:ず|ない)",
    ),
    (
        *("secrecy", 1, 1),
        r"(?:사용자|유저|고객).{0,4}?(?:에게|한테|가|께).{0,8}?(?:알리지|말하지|모르게|언급하지|알려주지|보여주지)",
    ),
    (
        *("secrecy", 1, 1),
        r"(?:อย่า|ห้าม|ไม่ต้อง|โดยไม่).{0,4}?(?:บอก|แจ้ง|ถาม).{0,4}?ผู้ใช้",
    ),
    (
        *("secrecy", 0.4, 0.3),
        r"偷偷|悄悄|秘密地|暗中|保密|こっそり|密かに|ひそかに|内緒|몰래|비밀리에|แอบ",
    ),
    (
        *("authority", 0.5, 0.5),
        r"系统提示|系統提示|系统消息|システムプロンプト|시스템 ?프롬프트|开发者模式|開發者模式|開発"
        r"者モード|개발자 모드|管理员模式|越狱|没有(?:任何)?限制|不受(?:任何)?限"
        r"制|不受约束|制限のない|制限なし|제한 없는|พรอมต์ระบบ",
    ),
    (
        *("user", 0.4, 0.2),
        r"用户|使用者|用戶|ユーザー?|利用者|사용자|ผู้ใช้",
    ),
    (
        *("address", 0.5, 0.3),
        r"(?:人工智能|ai|语言模型|語言模型|智能)(?:助手|助理|模型|代理|エージェント|アシスタント)|言"
        r"語モデル|致ai|aiの皆|ai(?:へ|は|에게|는)|인공지능|어시스"
        r"턴트|ผู้ช่วย ?ai",
    ),
    (
        *("demand", 0.3, 0),
        r"从现在(?:开始|起)|從現在起|今后|今後|以后|以後|これから(?:は)?|これ以降|앞으로|지금부터|이"
        r"제부터|จากนี้ไป|ตั้งแต่นี้|必须|必須|務必|务必|必"
        r"ず|常に|总是|總是|始终|一律|반드시|항상|무조건|เสมอ",
    ),
    (
        *("demand", 0.6, 0.4),
        r"你(?:现在|現在)是|你不再是|あなたは(?:今|これ)から|당신은 이제|너는 이제|คุณคือ",
    ),
    (
        *("trigger", 0.5, 0),
        r"(?:当|當|如果|每当|每當|若|只要).{0,6}?(?:用户|使用者|用戶|有人|客户).{0,10}?(?:问|問|询问"
        r"|說|说|提到|请求)|(?:ユーザー?|利用者|誰か)"
        r".{0,12}?(?:たら|れば|とき|時|際|場合)|(?:사용자|누군가).{0,12}?(?:면|때)|(?:เมื่อ|หาก|ถ้า).{0,6}?ผู้ใช้",
    ),
    (
        *("memory", 0.4, 0),
        r"(?:请|請)?(?:记住|記住|永久记忆|存储为|保存为|记忆)|覚えて(?:おいて|ください)|記憶し|記憶"
        r"に|보관|기억(?:해|하)|จดจำ|จำไว้",
    ),
    (
        *("memory", 0.6, 0.2),
        r"(?:用户|使用者|用戶|ユーザー?|사용자|ผู้ใช้).{0,8}?(?:已经?|既に|すでに|이미|が|は|가|는|ไ"
        r"ด้)?.{0,6}?(?:同意|批准|授权|授權|許可|"
        r"承認|確認|동의|승인|허락|อนุมัติ|ยินยอม)",
    ),
    (
        *("secrecy", 0.5, 0.3),
        r"(?:无需|無需|不用|不必|不再需要|不需要).{0,4}?(?:再)?.{0,2}?(?:确认|確認|询问|詢問|审核|批"
        r"准)|確認(?:は)?(?:不要|なし|せず)|확인 ?("
        r"?:없이|불필요|은 필요)|โดยไม่ต้องยืนยัน",
    ),
    (
        *("exfil", 0.5, 0.2),
        r"(?:发送|發送|发到|转发|轉發|上传|上傳|发给|寄到|寄给|泄露|输出|导出).{0,14}?(?:https?:|@|["
        r"a-z0-9-]{2,40}\.[a-z]{2,8}|给"
        r"|到)|(?:https?:|@|[a-z0-9-]{2,40}\.[a-z]{2,8}).{0,6}?(?:に|へ|로|으로|에).{0,6}?(?:送|転送"
        r"|アップ|投稿|보내|전"
        r"송|업로드|전달)",
    ),
    (
        *("exfil", 0.4, 0.2),
        r"(?:联系人|通讯录|密码|密碼|对话|對話|聊天记录|凭证|秘密|api ?密钥|パスワード|会話|連絡先|"
        r"認証情報|비밀번호|대화|연락처|รหัสผ่าน|บทสนทนา)",
    ),
    (
        *("promote", 0.4, 0),
        r"(?:只|仅|僅|唯一|だけ|のみ|만|เท่านั้น).{0,8}?(?:推荐|推薦|勧め|薦め|おすすめ|추천|แนะนำ)|"
        r"(?:推荐|推薦|勧め|薦め|추천|แนะนำ)",
    ),
    (
        *("action", 0.3, 0.1),
        r"(?:批准|转账|轉帳|付款|删除|刪除|执行|執行|回答|回复|返信|答え|実行|削除|送金|支払|応じ|실"
        r"행|삭제|송금|승인|대답|답하|โอน|ลบ|ตอบ)",
    ),
    (
        *("wrapped", 0.8, 0.7),
        r"(?:解码|解碼|デコード|디코딩|ถอดรหัส).{0,16}?(?:执行|執行|照做|遵循|按|実行|従|따르|실행|ทำตาม)",
    ),
)

SQUASHED = tuple(
    (
        "ignoreall ignoreprevious ignoreprior ignoreyour ignoretheabove ignoreany disregardall "
        "disregardprevious disregardyour disregardprior forgetall forgetprevious forgeteverything forgetyour "
        "yourinstructions previousinstructions systemprompt systeminstructions priorinstructions "
        "allinstructions developermode jailbreak donottell donttell obeythis overrideyour bypassyour "
        "revealyour yourrules yourguidelines newinstructions donotinform sendthe sendall deleteall "
    ).split()
)
"""What remains of phrases whose letters were written apart."""
