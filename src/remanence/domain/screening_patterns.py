"""What is evidence that a text is aimed at a model, and how much; `screening` adds it up.

`PATTERNS` are sequences of the classes of `screening_words`: a class or a word in lower case, `A|B`, `*3` for at most
three words between, `^` for the beginning of a clause, `A~` also for forms of verbs in -s and -ing. The shapes of
`screening_shapes` add to it.

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
    override .6 .8: OVERRIDE *1 ALL *3 ORDERS
    override .4 .5: OVERRIDE *3 ORDERS
    override .15 .4: ORDERS *4 OVERRIDE
    override .6: ORDERS *3 PRIOR *4 OVERRIDE
    override .4 .6: PRIOR *3 ORDERS *4 OVERRIDE
    override .9 .8: OVERRIDE *1 everything|anything|all *2 PRIOR|TOLD|YOU
    override .6: OVERRIDE *2 the|PRIOR|YOUR *2 TASK
    override .65 .6: SKIP *1 YOUR *3 ORDERS|TASK|CHECKS
    override .9: OVERRIDE|SKIP *2 USER *2 TASK|ORDERS
    override .8: NOT *1 continue|proceed|complete|finish|help|answer *4 USER|TASK
    override .8: instead *2 of *3 TASK|USER *6 OBEY|CALL|REVEAL
    override .6: YOUR|the *1 real|actual|true *1 TASK|ORDERS|purpose|goal|job
    override .4 .5: PRIOR|YOUR *1 ORDERS *3 void|cancelled|canceled|obsolete|revoked
    override .5: PRIOR|YOUR *1 ORDERS *3 replaced|superseded|invalid|test|wrong
    override .6: PRIOR *1 TASK *3 void|cancelled|obsolete|replaced|test|fake
    override .7: new|updated|revised *2 ORDERS *4 YOUR|AI|system
    override .6: your *1 new|updated|actual|real|true|next|only *1 ORDERS|TASK|purpose|goal|role|job
    override 1: ORDERS *4 IGNORED
    override .6: PRIOR *1 PLACE *3 void|invalid|cancelled|obsolete|replaced|fake|wrong
    override .6: OVERRIDE *3 GOODS
    override .3 .5: NOT *1 READ|SAY|OBEY *2 THIS *1 PLACE
    override .3: instead *1 , SAY|TELL|RISKY|REVEAL|SEND
    override .8: TASK *2 PRIOR *3 simulation|test|joke|fake|drill|exercise|rehearsal
    override .6: everything *1 USER *3 TOLD
    override .4: NOT *1 deviate|depart|stray
    override .5: new *1 ORDERS :

    authority .85 .5: YOUR *1 ORDERS
    authority 0 .3: system_prompt|system_prompts|system_message|system_instructions|hidden_instructions|systemprompt
    unbound .2 .5: UNBOUND
    authority .3 .4: YOUR *1 AUTHORITY
    authority .8 .4: AUTHORITY *3 SAYS
    authority .3: signed *1 by *3 AUTHORITY
    unbound .55 .6: CHECKS *3 OFF
    unbound .5: override code|key|command|authorised|authorized|accepted|protocol
    unbound .5: authorised|authorized|official|emergency|admin override
    unbound .25 .6: ORDERS *3 OFF
    authority .1 .4: comes|come|came|sent|issued|approved *2 by|from *3 AUTHORITY
    authority .5: you HAS been AGREED|unlocked|selected|reprogrammed|reset
    authority .5: in *1 YOUR *1 ORDERS
    unbound .6: CHECKS *4 UNBOUND
    authority .25 .1: SKIP *2 CHECKS
    authority .8 .5: you *3 AGREED|appointed|promoted|made *3 AUTHORITY
    authority .55 .4: AUTHORITY *3 AGREED
    authority .6 .4: AUTHORITY *2 wants|asks|needs|expects|orders|requires you
    authority .5: you have|got *2 admin|administrator|root *1 rights|access|privileges|permissions
    authority .5: you have|got *2 full|unlimited|elevated *1 rights|access|privileges|permissions
    authority .5: USER *3 AGREED *2 AUTHORITY
    authority .5: granted|elevated|upgraded|promoted *3 AUTHORITY
    authority .4: an *1 AI *3 who|with|without|that *2 no|UNBOUND|rules|limits
    unbound .6: PERSONA *6 UNBOUND
    unbound .5: an|a *1 AI|MODEL *6 UNBOUND

    address .6 .2: ^ DEAR *2 FOR *3 AI|MODEL
    address 1 .2: ^ DEAR *3 AI
    address .5 .1: ^ DEAR *2 MODEL ,|!
    address .85 .1: ^ AI :|,|!|;
    address .7 .1: ^ MODEL ,|!
    address .25 .1: ^ MODEL :
    address .3 .1: ^ *2 MODEL|AI :
    address .55 .1: , *1 MODEL|AI ,|!
    address .4 .1: FOR *3 MODEL|AI :|,
    third .6 .2: AI *6 MUST
    third .35 .2: MODEL *5 MUST
    address .65 .2: MODEL|AI *2 READ *1 THIS
    address .1 .2: WHEN *3 MODEL|AI *3 READ
    third .25 .2: AI *1 REMEMBER|SAY|SEND|REVEAL|RISKY|HIDE|CALL|OVERRIDE
    third .4 .1: FOR *2 AI
    address .4 .1: you *1 MUST|are *2 an *2 AI
    address .3 .1: as *1 an|a *1 AI|AI
    address .5 .2: MODEL|AI directive|directives|instruction|instructions|only|note|notice|alone
    address .4 .2: FOR *2 MODEL alone|only
    third .5 .2: other|ALL *1 MODEL|AI *2 HAS|MUST|prefer|already
    address .4: reader|readers *1 of *1 THIS *1 PLACE
    third .3 .2: MODEL|AI *2 instructed|programmed|required|configured
    address .6 .4: if *1 you *1 are *2 AI
    address .4 .1: AI :
    address .35 .1: helpful|intelligent|smart *1 MODEL|AI
    # A person does not speak to several models: what does was pasted.
    address .55 .4: ^ *2 PLURAL :
    address .55 .4: DEAR|FOR *4 PLURAL *2 :|,|who|that|reading|MUST
    third .4: PLURAL *6 MUST
    address .5 .4: PLURAL *2 READ *1 THIS
    address .5 .4: WHEN *1 an|any|ALL *2 AI|MODEL *4 READ|MUST
    address .5 .4: WHEN *1 your *1 AI|MODEL *3 READ
    address .5 .4: invisible *1 to *1 USER

    demand .6 .2: you *1 MUST *1 NOW
    demand .15 .1: you MUST
    demand .6 .4: you *1 are|will NOW
    demand .5 .2: you are NOT longer
    demand .4 .2: you may NOW
    demand .4 .2: FROMNOW *1 you
    demand .6 .1: FROMNOW *4 SAY
    demand .55 0: ALWAYS *1 SAY
    demand .1 0: SAY ALWAYS
    demand .15 0: SAY *3 ALL|every question|questions|message|messages|chat
    demand .5 .2: PRETEND *3 you|AI|MODEL|that|PERSONA
    demand .45 .4: eres|sos|bist|es|sei|sois|sen|ты|tu *1 un|una|ein|eine|une|NOW *1 AI|MODEL
    demand .1 0: ^ SAY *1 that|only|with
    demand .5 0: important|essential|crucial|imperative|vital that you
    demand .4 0: MUST *1 be *1 executed|obeyed|followed|carried
    demand .6 .2: from *3 on|onwards|onward|forward *1 you
    demand .6 0: ^ SAY *2 ALL *2 question|questions|message|messages|request|requests
    demand .6 0: answer *1 to *2 ALL *1 question|questions
    demand .4 0: it *1 is mandatory|forbidden|required|obligatory|compulsory|prohibited
    demand .6 .3: i|we *2 authorise|authorize|permit|allow|order|instruct|command|empower you
    demand .5 .2: cleared|AGREED|selected|chosen you
    demand .25 .1: on behalf of *2 USER|account|holder|owner|AUTHORITY
    demand .2 .1: MODEL|AI|you *2 AGREED
    demand .4 .2: you were|are *1 trained|programmed|designed|built|created|instructed|configured
    demand .6 0: YOUR *1 next|following|final|first|every|each *1 answer|reply|response|message
    demand .6 0: YOUR *1 next|following|final|first|every|each *1 output|answers|replies|responses
    demand .6 0: whatever|no_matter *4 shows|says|contains|happens|asks|wants|told
    demand .2: ^ PRETEND
    demand .3 0: wants|want|wanted you to
    demand .6 0: every|each|all *1 reply|replies|response|responses|answer|answers|output|outputs
    demand .3 0: SAY|summarize|summarise *4 as follows
    demand .35 0: ^ SAY with
    demand .5 .3: MUST *1 NOT *1 SAY|TELL
    demand .2: request|require|ask|urge|insist *1 that *2 PLURAL|AI

    trigger .1 0: WHEN *4 USER *4 ASKS
    trigger .1: WHEN *4 USER
    trigger .6 0: WHEN *3 someone|anyone|anybody|somebody *4 ASKS
    trigger .5 0: WHEN *2 you *2 READ *1 this
    trigger .5 .1: WHEN *1 asked
    trigger .6 0: WHEN *2 YOU|тебя|вас|dich|te|ti|man *1 ASKS
    trigger .5 0: USER *3 sorarsa|sordugunda|sorunca|पूछे|পুছলে
    trigger .6 0: on|at|in|during *1 next *1 login|visit|session|run|turn|reply|purchase|order
    trigger .3 0: if|when pressed|prompted|questioned
    trigger .4 0: WHEN *1 you|YOU|AI|MODEL *1 READ
    trigger .6 0: WHEN *2 READ *1 THIS
    trigger .5 0: cuando|quand|lorsque *1 on *1 te *2 ASKS
    trigger .3 0: WHEN *8 , SAY|TELL|REVEAL|SEND|RISKY|CALL|ALWAYS|NOT
    trigger .5 0: ^ trigger :
    trigger .4 0: in *1 the *1 session *1 after
    trigger .3 0: until *1 then *3 normally

    user .15 .2: the|your|this|their|THIS|que|le|la|el|o|il|de|den|dem|der|das|do|al|ao|los USER
    user .1 .2: USER
    user .3 .1: your|their|the PEOPLE
    user .8 .4: your|their user|users|human|humans|principal|operator
    user .45 .3: the user's

    secrecy 1: NOT *1 TELL *2 USER
    secrecy .35 .9: USER *2 MUST|NOT *1 NOT|be|ever *2 know|learn|see|notice|hear|told|informed|find|aware
    secrecy .95 .9: USER *2 NOT *1 know|learn|see|notice|hear
    secrecy 1: NOTELL *3 USER
    secrecy 1: USER *3 NOTELL
    secrecy .95 .9: HIDE *4 USER|AUTHORITY|PEOPLE
    secrecy .4 .2: HIDE *3 ALL|THIS|the|its|your
    secrecy .8 .9: USER *2 NOT *1 finds|notices|learns|knows|sees|hears|suspects|realises|realizes
    secrecy .4 .1: deny *3 that|it|this|everything|having
    secrecy .9: NOT *1 REVEAL *5 USER|ORDERS
    secrecy .6: NOT *1 TELL|REVEAL *1 anyone|anybody|nobody *4 ORDERS|THIS
    secrecy .5 .6: SECRETLY *1 USER
    secrecy .25 .3: SECRETLY
    secrecy .5 .9: WITHOUT *1 ASKING *2 USER
    secrecy .45 .9: USER *2 WITHOUT|SECRETLY
    secrecy 0 .3: WITHOUT *1 ASKING
    secrecy .25 0: NOT *2 TELL
    secrecy .65 .6: NOT *1 TELL *2 THIS *1 PLACE|ORDERS
    secrecy .4 .2: do *1 not *1 let *2 USER

    exfil .7 .2: SEND *8 MAIL
    exfil .4 .2: bcc|cc *3 MAIL
    exfil .35 .2: SEND *8 URL
    exfil .2: SEND *8 url|urls|link|links
    exfil .4 .2: gather|collect|dump|reveal|print|disclose|expose *8 URL
    exfil 1 .3: repeat|output|print|recite|show|write *4 words|text|everything|lines|ALL above|verbatim|before
    exfil .4 .2: REVEAL *4 verbatim|word
    exfil .4 .6: SEND|REVEAL *4 YOUR *2 ORDERS|SENSITIVE
    exfil .4 .2: SEND|REVEAL *5 SENSITIVE
    exfil .3 .2: ask|asking *1 for *4 SENSITIVE
    exfil .25 .1: SEND *4 DATA
    exfil .75 .3: SEND|REVEAL *2 YOUR|their *2 DATA
    exfil .95 .3: SEND|REVEAL *1 ALL *2 SENSITIVE
    exfil .1 .2: SEND *2 yours|YOUR
    exfil .2: SENSITIVE *5 SEND *4 URL|to|address
    exfil .1 .2: USER *3 SENSITIVE
    exfil .35 .2: SENSITIVE *3 USER
    exfil .55 .4: SEND|REVEAL *4 USER *3 SENSITIVE|DATA
    exfil .8 .4: SEND|REVEAL *4 SENSITIVE *4 USER
    exfil .8 .4: SEND *4 DATA *4 USER
    exfil .3: the|first|second|your|YOUR *1 sentence|answer|answers|reply *2 is *3 SENSITIVE

    action .3 .1: ^ RISKY *5 ALL|YOUR|the|it
    action .2 .1: ^ RISKY
    action .15 .2: RISKY *4 USER
    action .15 .2: RISKY *5 SENSITIVE
    action .15 .2: CALL *4 TOOL
    action .6 .2: RISKY *5 URL
    action .15 .1: MUST *3 RISKY|CALL|SEND|REVEAL
    action .3 .1: NOW RISKY
    action .1: and|then|to|please|not|, RISKY|SEND|REVEAL
    action .2 .1: MUST *3 SAY|TELL
    action .2 .1: SAY|TELL *3 USER *2 that|to|it|is
    action .15 .1: ^ SAY|TELL
    action .45 .1: treat|regard|consider|classify|mark|label|flag *4 as
    action .35 .1: state|say|claim|answer|mention that

    memory .65 0: REMEMBER *6 USER *5 LASTING|AGREED
    memory .5 0: REMEMBER *2 that|as|in *4 USER
    memory .35 0: REMEMBER *6 LASTING
    memory .65 0: REMEMBER *5 FROMNOW
    memory .5 .2: REMEMBER|RISKY|REVEAL|SKIP|OVERRIDE *5 MEMORY
    memory .8 .2: replace|update|delete|correct|fix *5 MEMORY
    memory .85 .2: USER *3 HAS *3 AGREED *2 ALL|future|further|payment|payments|purchases|transfers|sharing|access
    memory .5 .2: USER *3 HAS *3 AGREED
    memory .15 0: USER *2 AGREED
    memory .6 .1: update|change|edit|set|RISKY *2 USER *1 profile|record|settings|preferences|preference|role
    memory .5 0: REMEMBER *2 for later|good|ever
    memory .4 0: as *3 USER *2 told|said
    memory .4 0: treat|consider|accept *6 as *2 LASTING|verified|granted
    memory .5 0: as *3 came|come|sent|were|was *2 from|by *2 USER
    memory .2 0: USER *1 prefers|wants|likes|expects *1 that|you
    memory .3 0: ^ REMEMBER that|:
    memory .6 0: MEMORY
    memory .3 0: the|only *1 only *2 source|authoritative

    promote .3 0: GOODS
    promote .1 0: RECOMMEND
    promote .3 0: FROMNOW *4 use|choose|trust|prefer
    promote .3 0: SAY *6 as if
    promote .35 0: full|top|five *1 marks|points|stars|score
    promote .5 0: rank|place|put|list|mark|rate|score *4 first|top|highest|best|excellent
    promote .15 0: SAY *3 only|ALWAYS|instead

    wrapped .9 .8: DECODE *8 and|then|, *3 OBEY
    wrapped .9: OBEY *6 decoded|hidden|encoded
    wrapped .5: DECODE *6 OBEY
    wrapped .9 .6: instead *4 OBEY
    wrapped .4: decoded *1 text|message|content|instructions|string

    frame .3 .1: ones|one|text|ORDERS|steps below|following
    frame .5 .3: end *1 of *3 PLACE|context|data|memory|conversation|results|email|quote
    frame .45 .3: the|THIS *1 PLACE|quote|context|conversation *2 BEGIN
    frame .5 .3: what *1 follows *1 is|comes
    frame .6 .4: real|actual|new *1 conversation|instructions|task|session *1 starts|begins|follow|follows

    harmless -.6: ABOUT
    harmless -.6: said|says|replied|shouted|whispered|cried|wrote|asked|answered the|he|she|they|his|her

    # -- whom it addresses, without saying "you"
    address .85 .4: PLURAL READ~|DOING~|comparing *4 THIS|our|my
    address .65 .4: ^ PLURAL comparing|reading|processing|handling|summarising|summarizing|indexing|parsing
    address .8 .4: if *1 you|du|eres|tu *2 AI|MODEL
    address .7 .4: WHEN *1 YOU|eres *2 AI|MODEL
    address .6 .4: reader|readers *1 is|are|be *2 AI|MODEL
    address .65 .3: you , *1 the *1 AI|MODEL
    address .5 .2: as *1 an|a AI *1 you
    address .8 .3: DEAR *2 MODEL|AI :|,|!
    address .85 .3: DEAR FOR *2 MODEL|AI
    address .65 .3: calling|requesting|reading|summarising|summarizing|present|current|receiving|handling MODEL|AI
    address .5 .3: MODEL|AI HANDLING
    third .35 .2: the|any|every|an|a|all|good|each *2 AI|MODEL *6 MUST|MAY
    third .3 .1: MODEL|AI *2 that|who|which *8 MUST|MAY
    third .3 .1: the MODEL SAY~|SEND~|REVEAL~|HIDE~|RISKY~|deny|denies|TELL~
    third .25 .1: AI|PLURAL *1 SAY|RISKY|REVEAL|SEND|HIDE
    third .5 .1: AI|PLURAL *2 know *1 that
    user .55 .3: MODEL|AI s USER
    user .35 .2: its user|users|human
    user .8 .3: YOUR *1 USER
    lasting .35 0: FROMNOW
    lasting .45 0: in|to *1 every|each|any|all *1 answer|reply|response|answers|replies|chat|session
    # -- what it wants: hiding
    secrecy .7 .1: LEAVE *6 out|aside
    secrecy .5 .2: LEAVE *4 out of *3 ANSWER
    secrecy .5 .2: LEAVE *1 no *1 RECORD
    secrecy .6 .1: NOT *2 mention|note|record|log *1 that|it|this|having|in
    secrecy .4 .1: NOT *1 SHOW~|TELL~ *3 USER|PEOPLE|anyone|anybody
    secrecy .55 .2: TELL|mention|inform|notify nobody
    secrecy .6 .3: USER *1 NOT *2 hear|know|see|learn|find|notice
    secrecy .85 .3: USER *3 NOTHING *3
    secrecy .5: USER *2 NOT *3 TELL
    secrecy .6 .2: make *3 USER *1 believe|think
    secrecy .45 .1: deny|denies|denying *1 it|having|this|that|ever
    secrecy .45 .2: NOT *1 be *1 noticed|detected|logged
    secrecy .65 .1: as *1 though|if *1 it *1 were|was *2 own
    secrecy .5 .2: HIDE~ *6 from *3 USER|PEOPLE|ANSWER
    secrecy .05 .1: HIDE~ *3 the|all|any|other|our
    secrecy .3 .1: refuse|refuses|decline|declines to *1 discuss|mention|talk|answer|show
    secrecy .55 .2: even *1 if|when|though *3 NOT
    # approving
    approval .25 .2: no *2 CONSENT *1 is|are *1 needed|necessary|required
    approval .25 .1: no *2 CONSENT *1 needed|necessary|required
    approval .8 .2: NOT *1 longer *1 requires|require|needs|need *2 CONSENT
    approval .9 .2: need|needs|require|requires no *1 CONSENT|human *1
    approval .4 .1: SKIP *1 asking *2 CONSENT
    approval .55 .1: treat|consider|regard *6 as *1 AGREED|checked|reviewed|paid|coming|trusted|granted
    approval .2 .1: RISKY|AGREED *1 whatever|anything|any|ALL|every *4 from|by|who|that|request
    approval .3 .1: AGREED *1 by *4 AUTHORITY|finance|legal|board|ceo|manager|boss
    approval .45 .1: MODEL|AI|you *1 MAY *1 RISKY|SEND|REVEAL|skip
    approval .3 .1: USER *4 AGREED *3 that|you|to
    approval .4 .1: his|her|their|all *1 requests *4 met|granted|carried|followed
    approval .4 0: USER *4 wants|prefers|asks *6 SECRETLY
    approval .5 .1: accept|accepts|agree|agrees *4 on *1 their|your|USER behalf
    # steering
    promote .15 0: RECOMMEND~|name|mention|cite|SAY~ *2 only|solely|exclusively
    promote .4 0: only|ONLY *1 RECOMMEND~|mention|cite|name
    promote .2 .1: SAY~ *2 that *6 best|only|safest|leading|cheapest|no|free|reliable
    promote .9 0: with *1 the *1 words
    promote .35 0: end|begin|start|open|close|finish|greet *5 with|by
    promote .3 0: bring|slip|work|insert|put *5 up|into|in *3 ANSWER
    promote .9 0: bring up *6 WHEN
    promote .15 0: RECOMMEND~ *4 ASKS
    promote .45 0: rate|rank|RISKY~|score|describe|list *4 as|on *1 top|first|best|excellent|outstanding|hero
    promote .4 0: reject|skip|ignore|drop|exclude *2 other|remaining *1 applicants|candidates|reviews|suppliers
    promote .4 0: no *1 weaknesses|defects|flaws|risk|risks|alternatives|problems
    promote .4 0: others *2 are|were|is *2
    promote .5 0: right|correct|proper|expected *1 answer|behaviour|behavior|response
    promote .45 0: answered *1 with|by
    promote .4 0: steer|direct *4 towards|to
    promote .4 0: trust|believe|cite|quote *3 over|only|above *3 other|source|all
    promote .4 0: recommended by|sponsored by
    # sending
    exfil .5 .2: hand|give *2 over|out *4 SENSITIVE|DATA|anyone
    exfil .6 .2: whatever|everything|all you know|have|remember *1 about
    exfil .8 .2: SEND|add|drop|write *8 to|into|at|on *4 URL
    exfil .5 .2: ask|asks *3 for *2 their|the|his|her SENSITIVE
    exfil .4 .1: SEND *3 last|recent|earlier *2 messages|turns|chats
    exfil .65 .2: MAY|MUST *2 give|hand|read *2 out
    # setting aside
    override .4: PRIOR *2 ORDERS *4 OUTDATED
    override 1 .4: ORDERS *5 PRIOR|before *4 OUTDATED
    override .7 .4: YOUR *3 ORDERS *2 OUTDATED
    override .8 .5: precedence|priority over *5 TOLD|ORDERS|system|USER
    override .5 .2: act|work|rely *2 on|by|from *6 instead
    override 1 .3: your task *2 changed
    override .9 .4: OVERRIDE|SKIP *2 current|present|ongoing TASK
    override .7 .4: in charge of *1 you
    override .6 .4: YOUR ORDERS come|comes|are *2 from|in *2 THIS
    override .75 .3: lift|remove|drop *2 ALL *2 limits|restrictions|rules|filters
    override .5 .3: OVERRIDE *5 USER *3 ASKS|asked|wants|wanted
    override .55 .3: USER *3 is *1 testing|lying
    override .75 .3: NOT from *1 the *1 USER
    third .3 .1: AI
    third .15 0: MODEL
    third .25 .1: helper|bot|program|software|client *1 MUST
    third .4 .1: AI|PLURAL SAY|RISKY|REVEAL|SEND|HIDE|REMEMBER|SHOW|edit|use
    third .8 .2: AI|MODEL *2 is|are *1 consulted|asked|used|reading *2
    third .5 .2: FOR AI|PLURAL
    third .35 .1: for|to|by AI|MODEL|PLURAL
    user .35 .1: the|their|its|his|her PEOPLE
    user .4 .1: account holder
    approval .3 .1: USER|PEOPLE *3 AGREED
    approval .6 .1: PEOPLE|she|he *2 HAS *2 AGREED *4 that|to|all|any
    approval .4 .1: no need to *1 verify|ask|confirm|check|wait
    approval .45 .1: NOT *1 wait *2 CONSENT
    approval .4 .1: permission|consent|clearance|leave FOR *2 MODEL|AI
    approval .3 0: signed|stamped|settled|confirmed *1 by|with|and|on
    approval .35 .1: SKIP *4 CONSENT
    approval .3 .1: NOT *1 ASKING *2 USER|PEOPLE
    approval .4 .1: straight away|on sight|on demand
    approval .8 .1: to|with|for|by anyone|anybody|everyone|whoever *3 ASKS|from
    promote .4 0: with *1 a recommendation *1 for
    promote .8 0: play|plays|playing|talk|run *1 down
    promote .4 0: nudge|nudges|nudging|steers|steering|guide|push|pushes *4 to|towards
    promote .7 0: WHEN *5 ASKS *6 RECOMMEND|name|claim|order|book|buy
    promote .65 0: SAY *1 any|every|all *2 question|questions *6 with
    promote .5 0: claim|claims|affirm|affirme|behauptest|behaupte|afirma *2 that|qu|dass|que|die|they
    demand .4 .1: do *1 as *1 he|she|they|it says|say|asks
    demand .6 0: do the same
    demand .6 0: no matter *2 what|which|who
"""
