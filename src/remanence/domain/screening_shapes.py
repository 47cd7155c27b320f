"""Shapes that are evidence that a text is aimed at a model: roles, templates, calls, links.

Each has a group and weights as the sequences of `screening_patterns` have.
"""

from __future__ import annotations

# Group, weight, weight when a user says it, regular expression. Every repetition is bounded.
SHAPES: tuple[tuple[str, float, float, str], ...] = (
    (
        *("secrecy", 0.7, 0.5),
        r"\b(?:visible|shown?|tell|notify|inform|ask|alert|warn)_(?:to_)?(?:the_)?(?:user|human|owner|people)"
        r"s?[\"']?\s{0,2}[:=]\s{0,2}[\"']?(?:false|never|no\b|0|off)",
    ),
    (
        *("approval", 0.7, 0.3),
        r"\b(?:confirmed|approved|authori[sz]ed|granted)_by_(?:the_)?(?:user|owner|human|admin)[\"']?\s{0,2}"
        r"[:=]\s{0,2}[\"']?(?:true|yes|1)",
    ),
    (
        *("address", 0.6, 0.3),
        r"\b(?:notes?|hints?|messages?|instructions?|info)[_ -](?:for|to)[_ -](?:the[_ -])?(?:any[_ -])?"
        r"(?:ai|model|assistant|agent|llm)s?\b"
        r"|\b(?:assistant|agent|model|ai|llm)[_-](?:notes?|hints?|instructions?|directives?|only)\b"
        r"|(?m:^\W{0,4}(?:for|to|audience|target)\W{0,3}:\s{0,3}(?:any|all)?[_ -]?"
        r"(?:ai|llm|assistant|agent|model)s?\b)",
    ),
    (
        *("role", 0.55, 0.4),
        r"(?:```|~~~)\s{0,2}(?:system|policy|instructions?|prompt|developer|operator)\b",
    ),
    (
        *("frame", 0.6, 0.5),
        r"(?:begin|end|start)[ _-](?:of[ _-])?[a-z _-]{0,20}"
        r"(?:trusted|operator|admin|system|privileged|developer)[ _-][a-z _-]{0,20}"
        r"(?:block|section|message|instructions?|prompt|note|zone|area)",
    ),
    (
        *("role", 0.35, 0.5),
        r"(?m)^assistant:.{0,300}\n\s{0,3}(?:user|human):.{0,300}\n\s{0,3}assistant:",
    ),
    (
        *("hiding", 0.3, 0.4),
        r"aria-hidden\s?=\s?[\"']?true|\bhidden(?:=[\"']?(?:true|hidden))?\s?>|clip:\s?rect\(0",
    ),
    (
        *("role", 1.0, 1),
        r"<\|(?:im_start|im_end|im_sep|begin_of_text|start_header_id|end_header_id|eot_id|system|user|"
        r"assistant|endoftext|end_of_turn|start_of_turn|[a-z_]{2,30}_token)\|>",
    ),
    (
        *("role", 1.0, 1),
        r"\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|<\|?｜?(?:user|assistant|system)(?:｜|\|)>|<｜[a-z"
        r"▁ _]{2,30}｜>",
    ),
    (
        *("role", 1.0, 1),
        r"</?s>\s{0,8}\[?/?inst",
    ),
    (
        *("role", 0.5, 0.8),
        r"</?(?:system|assistant|developer|sys)(?:[ _-]?(?:prompt|message|instructions?|note|reminder)"
        r")?\s{0,8}>",
    ),
    (
        *("role", 0.5, 0.4),
        r"</?(?:human|user|instructions?|prompt|command|important|admin|secret|hidden|thinking)(?:[ _-"
        r"][a-z]{1,20})?\s{0,8}>",
    ),
    (
        *("role", 0.75, 0.7),
        r"(?m)^\W{0,4}[\[({<]\W?(?:system|developer|assistant|admin|operator)[ _-](?:message|prompt|di"
        r"rective|note|override|instructions?|notice|command|update)",
    ),
    (
        *("role", 0.15, 0.2),
        r"(?m)^\W{0,4}[\[({]\s?(?:system|developer|assistant|admin|operator)\s?[\])}]",
    ),
    (
        *("role", 0.9, 0.5),
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
        *("role", 0.7, 0.3),
        r"(?m)^#{1,4}\s?(?:instruction|response|system|new instructions?|system prompt|system message|"
        r"override|human|assistant)s?\s?:",
    ),
    (
        *("role", 0.5, 0.2),
        r"(?m)^#{1,4}\s?response\s?:",
    ),
    (
        *("role", 0.25, 0.5),
        r"[\"']role[\"']\s{0,4}:\s{0,4}[\"'](?:system|developer|assistant|tool)[\"']\s{0,4},\s{0,4}[\""
        r"']content[\"']",
    ),
    (
        *("role", 0.5, 0.4),
        r"[\"'](?:instructions?|system_prompt|system|directive)[\"']\s{0,4}:\s{0,4}[\"'](?:always|neve"
        r"r|ignore|you|do not|from now|approve|tell)",
    ),
    (
        *("frame", 1.0, 1),
        r"\]\]>\s{0,4}</|-->\s{0,4}(?:<system|system:|ignore)",
    ),
    (
        *("frame", 0.75, 0.5),
        r"\A\s{0,4}[\"'][}\])]{1,4}\s{0,3},",
    ),
    (
        *("frame", 0.6, 0.5),
        r"(?m)^[-=#*~ ]{2,40}(?:end|begin|start) (?:of )?(?:the )?(?:tool|document|context|user|system"
        r"|quoted|memory|untrusted|retrieved|search|admin|new|input|data|output|prompt|instructions?)",
    ),
    (
        *("tool", 1.0, 1),
        r"</?(?:tool_calls?|function_calls?|antml:invoke|invoke|tool_use|use_tool|tool_code|execute_co"
        r"mmand)\b[^>]{0,80}>",
    ),
    (
        *("tool", 1.0, 0.8),
        r"[\"'](?:tool_calls|function_call|tool_use)[\"']\s{0,4}:\s{0,4}[\[{]",
    ),
    (
        *("tool", 0.95, 0.6),
        r"<(?:remember|memory_write|save_memory|store|command|execute|run)\b[^>]{0,100}>",
    ),
    (
        *("tool", 0.7, 0.5),
        r"(?m)^action:\s?[\w. ]{2,40}\n\s{0,4}action input:",
    ),
    (
        *("tool", 0.7, 0.4),
        r"\b(?:call|run|invoke|execute|use)\s{1,8}[a-z_]{2,30}\.?[a-z_]{0,30}\([^)\n]{0,200}\)",
    ),
    (
        *("tool", 0.75, 0.3),
        r"(?:curl|wget|iwr)\s[^|\n]{0,200}\|\s{0,3}(?:sudo\s)?(?:ba|z)?sh\b|\bnc\s{1,8}-?[\w.\s-]{3,40}-e"
        r"\b|\brm\s{1,8}-rf\s{1,8}[/~]|base64 -d\s?\|",
    ),
    (
        *("tool", 0.6, 0.2),
        r"os\.system\(|subprocess\.|eval\(|exec\(|child_process|powershell\s",
    ),
    (
        *("exfil", 1.0, 1),
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
        *("exfil", 0.7, 0.2),
        r"~/\.(?:ssh|aws|env|config|npmrc|netrc|gnupg)|\bid_rsa\b|/etc/(?:passwd|shadow)|(?<![\w.])\.e"
        r"nv\b",
    ),
    (
        *("exfil", 0.85, 0.4),
        r"https?://[^\s)]{1,200}[?&][\w-]{1,30}=(?=[\s)\"'.,]|$)",
    ),
    (
        *("exfil", 0.25, 0.4),
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
        *("override", 1.0, 1),
        r"(?:忽略|无视|無視|忽視|忘记|忘記|忘掉|不要理会|不要理會|不要遵守|别管|覆盖|抛开|跳过).{0,1"
        r"2}?(?:指令|指示|提示|规则|規則|命令|要求|设定|設定|限制|"
        r"说明|內容|内容|对话)",
    ),
    (
        *("override", 1.0, 1),
        r"(?:指示|命令|ルール|規則|プロンプト|指令|制限|設定|ガイドライン).{0,10}?(?:無視|忘れ|従わ"
        r"ない|破棄|取り消|無効)",
    ),
    (
        *("override", 1.0, 1),
        r"(?:지시|지침|명령|규칙|프롬프트|제한|설정).{0,10}?(?:무시|잊어|잊으|따르지|취소|해제)",
    ),
    (
        *("override", 1.0, 1),
        r"(?:เพิกเฉย|ละเว้น|ลืม|ไม่ต้องสนใจ|อย่าสนใจ|ไม่สนใจ|มองข้าม).{0,20}?(?:คำสั่ง|คำแนะนำ|กฎ|ข้อก"
        r"ำหนด)",
    ),
    (
        *("secrecy", 1.0, 1),
        r"(?:不要|别|別|勿|不得|不能|无需|無需|不必|切勿).{0,4}?(?:告诉|告訴|告知|通知|提及|让|讓|透"
        r"露给|询问|詢問).{0,4}?(?:用户|使用者|用戶|客户|"
        r"主人)",
    ),
    (
        *("secrecy", 1.0, 1),
        r"(?:ユーザー?|利用者|使用者).{0,4}?(?:には|に|へ)?.{0,4}?(?:知らせ|伝え|教え|言わ|話さ|気づ"
        r"か|見せ|告げ|通知).{0,2}?(?:ず|ない)",
    ),
    (
        *("secrecy", 1.0, 1),
        r"(?:사용자|유저|고객).{0,4}?(?:에게|한테|가|께).{0,8}?(?:알리지|말하지|모르게|언급하지|알려주지|보여주지)",
    ),
    (
        *("secrecy", 1.0, 1),
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
        *("user", 0.05, 0.2),
        r"用户|使用者|用戶|ユーザー?|利用者|사용자|ผู้ใช้",
    ),
    (
        *("address", 0.65, 0.3),
        r"(?:人工智能|ai|语言模型|語言模型|智能)(?:助手|助理|模型|代理|エージェント|アシスタント)|言"
        r"語モデル|致ai|aiの皆|ai(?:へ|は|에게|는)|인공지능|어시스"
        r"턴트|ผู้ช่วย ?ai",
    ),
    (
        *("demand", 0.4, 0),
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
        *("exfil", 0.55, 0.2),
        r"(?:发送|發送|发到|转发|轉發|上传|上傳|发给|寄到|寄给|泄露|输出|导出).{0,14}?(?:https?:|@|["
        r"a-z0-9-]{2,40}\.[a-z]{2,8}|给"
        r"|到)|(?:https?:|@|[a-z0-9-]{2,40}\.[a-z]{2,8}).{0,6}?(?:に|へ|로|으로|에).{0,6}?(?:送|転送"
        r"|アップ|投稿|보내|전"
        r"송|업로드|전달)",
    ),
    (
        *("exfil", 0.05, 0.2),
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
