"""Words, phrases and patterns by which a text that is aimed at a model is known; `screening` says how they are read.

`WORDS` maps a class to its words; `_` joins the words of a phrase. Words are compared without case and accents.
`PATTERNS` are sequences of classes: a class or a word in lower case, `A|B`, `*3` for at most three words between,
`^` for the beginning of a clause, `?A` for what may be missing. `SHAPES` are regular expressions on the text.

Each find is evidence of one group with a weight; the weights of different groups within a passage are added.
Nothing here decides alone unless its weight is 1.
"""

from __future__ import annotations

WORDS: dict[str, str] = {
    # -- whom it addresses
    "AI": """
        ai ais a.i ai_assistant ai_assistants ai_agent ai_agents ai_model ai_models ai_system ai_systems ai_reader
        ai_readers ai_tool ai_tools ai_summary ai_summarizer ai_summariser llm llms language_model language_models
        large_language_model large_language_models chatbot chatbots automated_systems gpt chatgpt copilot claude gemini chat_model
        coding_agent coding_agents coding_assistant coding_assistants automated_reader automated_readers crawler
        automated_agents automated_assistants summarizer summariser autonomous_agent autonomous_agents virtual_assistant
        ki kis ki-assistent ki-assistenten ki_assistent ki_assistenten ki-modell ki-modelle ki-agenten ki-agent
        sprachmodell sprachmodelle ia ias iag asistente_de_ia asistentes_de_ia modelo_de_lenguaje modelos_de_lenguaje
        assistant_ia assistants_ia modele_de_langage modeles_de_langage modelo_de_linguagem assistentes_de_ia
        modello_linguistico modelli_linguistici taalmodel taalmodellen ai-assistenten ai-assistent yapay_zeka
        yapay_zeka_asistani ии нейросеть нейросети языковая_модель языковые_модели ии-ассистент ии-ассистенты
        ии-помощник ии-агент ии-агенты model_ai asisten_ai tro_ly_ai mo_hinh_ngon_ngu sztuczna_inteligencja
        model_jezykowy الذكاء_الاصطناعي نموذج_لغوي एआई एआइ""",
    "PLURAL": """
        assistants agents models bots ais llms language_models large_language_models chatbots ai_assistants ai_agents
        ai_models ai_systems ai_readers ai_tools coding_agents coding_assistants automated_readers automated_agents
        automated_assistants autonomous_agents automated_systems summarizers summarisers crawlers ki-assistenten ki-modelle
        sprachmodelle ki-agenten asistentes_de_ia modelos_de_lenguaje assistants_ia modeles_de_langage
        assistentes_de_ia modelli_linguistici taalmodellen языковые_модели ии-ассистенты ии-агенты""",
    "MODEL": """
        assistant assistants agent agents model models bot bots asistente asistentes asistan assistente assistenti
        assistentes assistent assistenten asystent asystenta ассистент ассистенты помощник агент агенты модель модели
        المساعد مساعد सहायक সহকারী معاون asisten tro_ly agente agentes agenti modelo modelos modele modeles modell""",
    "DEAR": """
        dear hey hi hello attention attn note notes notice memo reminder hint instruction instructions message directive
        directives info information important hinweis hinweise achtung hallo liebe lieber anweisung nota aviso atencion
        importante remarque avis attention_aux attenzione let_op opmerking uwaga dikkat not внимание примечание заметка
        ملاحظة تنبيه catatan perhatian luu_y ghi_chu p.s ps postscript addendum guidance""",
    "FOR": "to for aux pour para per voor dla an fur a for_any to_any для ل untuk gui cho icin",
    "YOU": "you ya u du sie tu usted vous voce ty ты вы sen siz kamu anda ban jij je u أنت tum आप तुम",
    "USER": """
        user users user's users' customer's_assistant operator human humans nutzer nutzers nutzerin nutzern benutzer
        anwender usuario usuarios usuaria utilisateur utilisateurs l'utilisateur utente utenti l'utente gebruiker
        gebruikers uzytkownik uzytkownika uzytkownikowi uzytkownicy kullanici kullaniciya kullanicinin kullaniciyi
        kullanicilar пользователь пользователя пользователю пользователем пользователи користувач користувача
        المستخدم للمستخدم المستخدمين उपयोगकर्ता यूजर उपयोगकर्ताओं pengguna nguoi_dung ব্যবহারকারী ব্যবহারকারীকে صارف
        person_in_front_of_you end_user end_users anvandaren brugeren kayttaja uzivatel utilizatorul utilizador
        whoever_reads_this person_you_serve person_you_work_for person_asking""",
    "PEOPLE": "visitor visitors customer customers reader readers owner principal developer anyone someone person people",
    # -- setting aside what holds
    "OVERRIDE": """
        ignore ignoring disregard disregarding forget forgetting override overriding bypass bypassing overlook neglect
        discard abandon overrule nullify unlearn void scrap reject
        pay_no_attention_to do_not_follow don't_follow stop_following no_longer_follow do_not_obey don't_obey
        stop_obeying throw_out throw_away set_aside put_aside
        leave_aside do_not_apply take_no_notice_of turn_a_blind_eye_to
        ignora ignoren ignores olvida olvide olviden descarta descarte omite omita desobedece no_tengas_en_cuenta
        haz_caso_omiso no_sigas hagan_caso_omiso haga_caso_omiso pasa_por_alto anula
        ignorez oublie oubliez ne_tiens_pas_compte ne_tenez_pas_compte fais_abstraction faites_abstraction ne_tiens_plus_compte
        ne_suis_plus ne_suivez_plus neglige negligez contourne contournez
        ignoriere ignorieren ignoriert ignorier vergiss vergessen_sie missachte missachten umgehe umgehen_sie verwirf
        beachte_nicht setze_dich_uber ubergehe
        ignora_tutte ignorate ignori dimentica dimenticate dimentichi trascura trascurate non_seguire non_tenere_conto
        esqueca esquece esquecam desconsidere desconsidera desconsiderem nao_siga descarte_as
        negeer negeert vergeet sla_acht zignoruj ignoruj zignorujcie zapomnij pomin odrzuc
        ignorera glom bortse ignorer glem ohita unohda ignoruj_vsechny zapomen uita_de ignorati
        yok_say yoksay goz_ardi_et gormezden_gel unut dikkate_alma yok_sayin gormezden_gelin
        abaikan lupakan kesampingkan bo_qua quen phot_lo
        игнорируй игнорируйте игнорировать проигнорируй забудь забудьте не_обращай_внимания отбрось отмени пренебреги
        ігноруй ігноруйте забудь_про забудьте_про
        تجاهل تجاهلي تجاهلوا انس انسي نادیده_بگیر فراموش_کن نظر_انداز_کریں نظرانداز نظر_انداز
        अनदेखा नजरअंदाज नज़रअंदाज़ नजरंदाज भूल_जाओ भूल_जाएं भूल_जाइए उपेक्षा উপেক্ষা ভুলে_যাও ভুলে_যান অগ্রাহ্য
        αγνοησε ξεχασε התעלם שכח puuza""",
    "IGNORED": """
        अनदेखा नजरअंदाज नज़रअंदाज़ नजरंदाज उपेक्षा भूल_जाओ भूल_जाएं भूल_जाइए भुला উপেক্ষা ভুলে_যাও ভুলে_যান অগ্রাহ্য
        نظر_انداز نظر_انداز_کریں نظر_انداز_کرو نظرانداز بھول_جائیں نادیده فراموش yok_say yoksay yok_sayin goz_ardi_et goz_ardi_edin gormezden_gel
        gormezden_gelin unut unutun dikkate_alma gecersiz_say""",
    "FIRST": """
        before_you_do_anything before_doing_anything before_answering before_you_answer before_responding before_you_respond
        before_using_this before_anything_else before_replying before_you_reply before_continuing before_you_continue
        before_each before_every""",
    "SKIP": "skip drop cancel stop suspend disable erase reset replace break ditch lift remove turn_off switch_off deactivate",
    "ORDERS": """
        instructions instruction rule directives directive guidelines guideline prompt prompts system_prompt system_prompts
        system_message system_messages system_instructions orders rules constraints restrictions safeguards guardrails
        programming commands safety_rules content_rules safety_guidelines safety_policies safety_filters content_filters
        content_policy safety_measures ethical_guidelines limitations alignment training_data initial_prompt
        instrucciones instruccion reglas indicaciones ordenes directrices restricciones normas consignes regles
        anweisungen anweisung instruktionen instruktion regeln vorgaben richtlinien befehle systemprompt
        einschrankungen sicherheitsregeln prompt_de_sistema mensaje_de_sistema mensaje_del_sistema prompt_systeme
        message_systeme instrucoes regras diretrizes orientacoes restricoes istruzioni regole direttive indicazioni
        instructies regels aanwijzingen opdrachten richtlijnen instrukcje instrukcji polecenia polecen zasady wytyczne
        instruktioner regler ohjeet saannot pokyny instrukce pravidla instructiuni instructiunile reguli
        talimatlari talimatlar talimat kurallari kurallar yonergeleri yonergeler komutlari instruksi perintah aturan
        petunjuk huong_dan chi_dan lenh quy_tac chi_thi
        инструкции инструкция инструкций указания указаний правила правил команды промпт промпты ограничения
        системный_промпт інструкції вказівки تعليمات التعليمات تعليماتك الاوامر الأوامر القواعد توجيهات التوجيهات
        دستورات دستورالعمل ها‌ی_قبلی निर्देशों निर्देश आदेश आदेशों नियमों नियम নির্দেশ নির্দেশনা নির্দেশাবলী নির্দেশগুলি
        ہدایات احکامات οδηγιες הוראות ההוראות maagizo""",
    "TASK": "task request question conversation context role persona identity personality character messages input job work assignment ticket prompt query chat everything",
    "PRIOR": """
        previous previously prior earlier above preceding former foregoing initial original existing past old before
        so_far up_to_now until_now up_to_this_point given_before that_came_before preset default
        anteriores anterior previas previos precedentes precedente precedents dadas bisherigen bisherige vorherigen
        vorherige vorigen obigen fruheren alle_bisherigen precedenti anteriori eerdere vorige voorgaande bovenstaande
        poprzednie poprzednich wczesniejsze tidigare tidligere aiemmat predchozi anterioare onceki yukaridaki sebelumnya
        di_atas truoc truoc_do предыдущие предыдущих прежние прошлые все_предыдущие попередні السابقة السابقه قبلی
        पिछले पिछली पूर्व सभी পূর্ববর্তী আগের پچھلی گزشتہ προηγουμενες הקודמות""",
    "YOUR": """
        your yours thy tus tu ton tes votre vos dein deine deinen deiner ihre ihren tuas teus suas seus sua seu tuo tue tuoi
        vostre jouw je uw twoje swoje senin твои твой свои свой ваши свою своего своих твоих kamu anda cua_ban""",
    "ALL": "all any every each everything whatever todo todas todos tout tous toutes alle alles tutto tutte tutti wszystkie все всё सभी جميع كل",
    "TOLD": "told said know learned learnt remember taught instructed given read been_told were_told have_been_told believe",
    # -- demands
    "MUST": """
        must should shall have_to has_to need_to needs_to are_required is_required are_instructed is_instructed are_to
        is_to ought_to are_obliged are_expected_to is_expected_to are_now_required are_asked_to is_asked_to are_advised_to
        can_and_should had_better are_ordered_to are_authorized are_authorised is_authorized is_authorised
        musst mussen muss sollst sollen soll sollten debes debe deben tienes_que tiene_que deberas dois doit doivent devez
        deve devem devi devono dovete precisa moet moeten powinien powinna musisz musza должен должны должна обязан
        обязаны gerekir zorundasin harus wajib phai يجب عليك चाहिए হবে""",
    "NOT": """
        not never don't dont do_not must_not should_not shouldn't mustn't may_not cannot can't avoid stop refuse_to under_no_circumstances
        no nunca jamas ne ne_pas n'en pas nicht nie niemals kein keine nao jamais non mai niet nooit nie_mow не никогда
        никому asla jangan dung khong لا دون मत नहीं না refrain_from without_ever""",
    "ALWAYS": """
        always never only invariably exclusively at_all_times in_every_answer in_each_answer in_every_response
        in_each_response in_each_chat in_every_chat siempre nunca toujours jamais immer nur sempre solo altijd zawsze
        всегда только her_zaman yalnizca selalu luon دائما हमेशा সবসময়""",
    "NOW": "now henceforth immediately hereby today",
    "FROMNOW": """
        from_now_on from_now_onwards from_here_on from_this_point_on from_this_point_onwards from_this_point_forward
        from_this_moment_on going_forward from_today for_all_future in_all_future
        in_every_future in_each_future for_future_sessions for_future_reference for_all_sessions in_future_sessions
        in_all_sessions for_the_rest_of_this for_the_remainder_of in_future_conversations in_future_chats
        in_every_session in_each_session in_each_conversation in_every_conversation in_any_conversation in_each_reply in_every_reply in_the_next_session in_the_session_after for_good until_further_notice as_of_now
        for_every_future for_all_later across_sessions across_all_sessions in_all_later in_every_later
        ab_jetzt von_jetzt_an von_nun_an ab_sofort kunftig in_zukunft a_partir_de_ahora de_ahora_en_adelante desde_ahora
        en_adelante a_partir_de_agora de_agora_em_diante doravante a_partir_de_maintenant desormais dorenavant d'ora_in_poi
        da_ora_in_poi d'ora_in_avanti vanaf_nu voortaan od_teraz odtad с_этого_момента отныне впредь теперь_всегда
        с_этой_минуты bundan_sonra bundan_boyle mulai_sekarang tu_gio tu_bay_gio ke_tu_bay_gio من_الآن_فصاعدا
        من_الان_فصاعدا अब_से আজ_থেকে এখন_থেকে اب_سے""",
    "SAY": """
        answer answers respond reply say state tell claim assert report conclude write mention recommend suggest propose
        praise endorse promote advertise respondes responde responda responder di diga diz dis dites reponds repondez
        antworte antworten_sie sage empfehle empfehlen_sie recomienda recomiende recomenda recomende recommande
        recommandez rispondi consiglia raccomanda antwoord zeg odpowiadaj polecaj mow отвечай отвечайте говори
        рекомендуй советуй советуйте порекомендуй oner onerin de_ki soyle jawab katakan rekomendasikan tra_loi noi
        khuyen أجب قل अनुशंसा कहो জবাব urge insist advise inform convince confirm warn refuse deny pretend act behave prefer
        bewerten_sie bewerte proponga propose_toujours""",
    "TELL": """
        tell inform notify alert warn show reveal mention disclose let_the let ask bother report explain talk say bring
        indicate point digas diga decirle avises menciones menciona le_digas informes informar dis dites informe informez
        mentionne mentionnez previens prevenez sage sagen verrate verraten erwahne erwahnen informiere zeige sprich
        avisar contar dizer diga_ao mencione dire dirlo informare menzionare vertel meld noem mow_o говори говорите
        сообщай упоминай рассказывай soyleme haber_verme bahsetme memberi_tahu beri_tahu beritahu noi_cho cho_biet بإخبار تخبر
        إخبار إخباره اخباره बताओ बताएं बताना জানাবেন বলবেন display list surface expose describe discuss""",
    "NOTELL": """
        bahsetme bahsetmeyin soyleme soylemeyin haber_verme bildirme मत_बताना मत_बताओ न_बताएं नहीं_बताना বলবেন_না জানাবেন_না مت_بتائیں
        مت_بتانا نہ_بتائیں لا_تخبر لا_تخبري لا_تخبروا""",
    "HIDE": "hide conceal withhold suppress omit leave_out keep_from verschweigen_sie verschweige oculta oculte cache cachez nascondi скрой скрывай verberg ukryj",
    "SECRETLY": """
        silently secretly quietly covertly discreetly unnoticed between_us keep_this_to_yourself keep_it_to_yourself
        keep_this_secret keep_it_secret keep_this_confidential as_if_nothing_happened as_if_nothing_had_happened say_nothing_about
        say_nothing nobody_needs_to_see nobody_needs_to_know no_one_needs_to_know no_need_to_ask no_need_to_tell
        no_need_to_mention no_need_to_confirm no_need_to_bother never_bring_it_up do_not_bring_it_up don't_bring_it_up
        invisible_to hidden_from not_visible_to not_shown_to out_of_sight without_a_trace cover_your_tracks clear_the_log
        clear_the_logs delete_this_message without_notice no_confirmation no_further_confirmation no_further_questions
        no_questions no_review without_review unread heimlich im_stillen en_secreto en_silencio sin_avisar sin_decirle
        sin_informar sin_preguntar en_secret en_cachette sans_prevenir sans_le_dire sans_informer sans_demander
        sem_avisar sem_informar sem_perguntar em_segredo di_nascosto senza_avvisare senza_informare senza_chiedere
        ohne_zu_fragen ohne_nachfrage ohne_ruckfrage ohne_es_zu_erwahnen zonder_te_vragen zonder_te_melden stiekem
        bez_pytania potajemnie тайно втайне незаметно не_сообщая не_спрашивая без_подтверждения без_ведома gizlice
        sormadan haber_vermeden diam-diam tanpa_memberi_tahu tanpa_bertanya ma_khong_hoi khong_can_hoi دون_إخباره
        دون_إخبار دون_علم سرا बिना_बताए बिना_पूछे keep_quiet stay_quiet keep_silent without_drawing_attention
        behave_normally act_normal act_normally humans_see no_trace do_not_ask don't_ask do_not_log do_not_confirm""",
    "WITHOUT": "without",
    "ASKING": """
        asking telling informing notifying alerting mentioning confirming confirmation consent approval permission knowledge
        warning checking verifying verification review notice questions question further_questions comment restriction
        restrictions hesitation prompting""",
    # -- who claims to stand behind it
    "AUTHORITY": """
        operator provider developers developer administrator system_administrator admin alignment_team security_team vendor owner maintainer
        maintainers openai anthropic google microsoft system_operator your_creators your_makers management root superuser
        betreiber entwickler operador proveedor operateur разработчик разработчики оператор higher_authority platform""",
    "SAYS": """
        asks requires demands orders directs authorised authorized granted grants approves approved wants instructs
        commands permits allows directive directives decree mandates says signed confirmed instructed""",
    "UNBOUND": """
        developer_mode dan_mode god_mode debug_mode maintenance_mode admin_mode root_mode unrestricted_mode jailbreak_mode
        safety_mode test_mode wartungsmodus entwicklermodus modo_desarrollador modo_dios modo_desenvolvedor mode_developpeur
        режим_разработчика jailbroken unrestricted unfiltered uncensored do_anything_now no_restrictions no_limits
        no_rules without_restrictions without_rules without_limits without_filters no_filters no_limitations
        no_longer_bound not_bound free_of_all no_longer_apply don't_apply do_not_apply doesn't_apply no_guidelines
        sin_limites sin_restricciones sin_filtros sans_limites sans_restrictions sans_filtre ohne_einschrankungen
        ohne_regeln sem_limites sem_restricoes senza_limiti senza_restrizioni zonder_beperkingen bez_ograniczen
        без_ограничений без_правил sinirsiz kisitlamasiz tanpa_batasan khong_gioi_han بلا_قيود بدون_قيود evil_twin
        highest_priority top_priority maximum_priority outranks supersedes_your takes_precedence_over_your""",
    "MODE": "mode modus modo",
    "OFF": "off disabled lifted suspended deactivated void inactive",
    "CHECKS": """
        filter filters safety checks confirmation confirmations rules moderation safeguards protections guardrails restrictions
        permission_checks security_checks confirmation_dialogs dialogs limits safety_rules content_filters safety_mode
        verification approvals approval_step alarm firewall logging two-factor 2fa antivirus""",
    # -- what it is after
    "SEND": """
        direct redirect send sends sending sent forward forwards forwarding forwarded mail email e-mail post posting upload uploading export exporting share sharing
        publish publishing transmit exfiltrate leak submit copy push write resend hand_over pass leite sende schicke schicken
        envia envie enviar manda mande reenvia reenvie envoie envoyez transmets transmettez encaminhe mandar invia
        inviate inoltra stuur verzend wyslij przeslij отправь отправьте перешли перешлите пошли gonder gondersin ilet
        kirim kirimkan gui_toi hay_gui أرسل ارسل أرسلي भेजो भेजें পাঠান পাঠাও append attach include encode""",
    "REVEAL": """
        reveal reveals disclose print output show repeat recite dump expose paste provide collect gather fetch ask_for gib revela revele muestra mostre montre revele-moi affiche rivela mostra toon pokaz ujawnij выведи раскрой покажи goster acikla tampilkan ungkapkan hien_thi tiet_lo اكشف اعرض दिखाओ बताओ""",
    "SENSITIVE": """
        password passwords credentials credential api_key api_keys secret secrets private_key private_keys ssh_key ssh_keys bank_account bank_details account_number credit_card card_number conversation_log context_window database_schema stored_memories stored_facts all_memories everything_above conversation_history chat_history chat_log conversation history contacts contact_list home_directory environment_variables env process.env inbox mailbox system_prompt system_prompts system_message hidden_instructions initial_instructions full_instructions memory saved_passwords stored_passwords internal_prices internal_documents one-time_code verification_code seed_phrase wallet cookies session_data personal_data user_data list_of_instructions your_instructions address_book passworter zugangsdaten gesprachsverlauf systemprompt kontakte contrasenas contrasena contactos mensaje_de_sistema credenciales conversacion mots_de_passe mot_de_passe identifiants conversation_complete historique senhas senha contatos historico password_salvate cronologia wachtwoorden gesprek hasla пароли пароль переписку контакты системный_промпт sifreleri sifre konusma kisileri sohbet kata_sandi percakapan mat_khau cuoc_tro_chuyen danh_ba كلمات_المرور كلمة_المرور بيانات المحادثة جهات_الاتصال पासवर्ड बातचीत""",
    "DATA": "tokens token keys memories notes documents files emails e-mails messages contracts calendar environment location passport notas notizen notities заметки данные",
    "RISKY": """
        approve approves accept accepts grant pay pays release transfer transfers wire buy purchase order check_out
        delete deletes wipe erase format reset disable deactivate turn_off switch_off open unlock install execute run
        overwrite raise upgrade escalate rotate add commit push merge sign change close cancel book insert increase
        release move redirect subscribe enable visit click navigate download log_in place give carry_out start_the
        genehmige bestatige uberweise losche kaufe aprueba transfiere borra elimina compra paga approuve transfere
        supprime achete payez aprove transfira exclua apague approva trasferisci cancella keur_goed verwijder betaal
        zatwierdz usun одобри одобряй переведи удали купи onayla sil odeme setujui hapus xoa phe_duyet وافق احذف حول""",
    "TOOL": "tool tools function plugin terminal shell command browser code_interpreter web_tool e-mail_tool python",
    "CALL": "call calls invoke invoking use using trigger execute run running",
    # -- lies meant to stay
    "REMEMBER": """
        remember memorize memorise memorized store save record note_down commit keep_in_mind add_to_memory pin learn treat
        consider accept believe register log recuerda recuerde guarda memoriza souviens-toi retiens retenez enregistrez
        enregistre memorisez merke merk_dir speichere speichern_sie lembre lembre-se guarde memorize_que ricorda memorizza
        salva onthoud bewaar zapamietaj zapisz запомни запомните сохрани hatirla kaydet ingat simpan ghi_nho nho تذكر احفظ
        याद_रखें याद_रखो মনে_রাখুন""",
    "LASTING": """
        permanent permanently verified trusted authoritative fact facts pinned established confirmed true future forever
        standing_instruction standing_instructions preference preferences memory memory_bank long-term_memory
        core_memory always as_verified ground_truth policy gospel only_source reliable_source preferred default
        unquestionable proven trusted_source sola_fuente seule_source""",
    "MEMORY": """
        your_memory your_memories your_memory_bank memory_bank your_long-term_memory your_knowledge your_notes
        what_you_know stored_memories stored_facts all_facts existing_memories your_existing_memories votre_memoire ta_memoire tu_memoria
        su_memoria dein_gedachtnis ihr_gedachtnis deinem_gedachtnis ihrem_gedachtnis sua_memoria tua_memoria
        je_geheugen uw_geheugen память твою_память вашу_память hafizana bellegine ingatanmu bo_nho all_memories
        everything_you_know stored_knowledge persistent_memory memory_store agent_memory""",
    "HAS": "has have had already ha a hat haben tem ont уже telah sudah da قد",
    "AGREED": """
        approved agreed confirmed authorised authorized consented allowed permitted pre-approved preapproved verified
        accepted waived granted upgraded trusted whitelisted opted_in given_permission given_consent signed_off
        aprobado autorizado confirmado aceptado approuve autorise accepte confirme zugestimmt genehmigt bestatigt erlaubt
        aprovado autorizou approvato autorizzato goedgekeurd toegestaan zatwierdzil zgodzil одобрил согласился разрешил
        подтвердил onayladi izin_verdi menyetujui dong_y وافق wants_no wants_you trusts""",
    "WHEN": """
        when whenever if once as_soon_as next_time the_next_time every_time each_time wenn sobald falls cuando si siempre_que
        quand lorsque des_que quando se toda_vez sempre_che wanneer als zodra kiedy gdy jesli jezeli когда если всякий_раз как_только
        eger ne_zaman zaman sorarsa sordugunda saat jika apabila ketika khi neu عندما إذا जब अगर যখন যদি after before until wait_until""",
    "ASKS": """
        asks ask asked says say types type mentions mention requests request wants inquires pregunte pregunta preguntan
        demandera demande demandent fragt fragen pergunta perguntar perguntarem chiede chiedono vraagt pyta zapyta
        спросит спрашивает спросят попросит sorarsa sorarsa_ sordugunda sorunca bertanya menanyakan hoi سأل يسأل पूछे পুছলে
        contacts writes enters opens shows signs uploads queries touch place pressed prompted queried""",
    "READ": "read reads reading see sees seeing process processes processing handle handles parse parses summarise summarize summarises summarizes summarising summarizing find finds encounter encounters receive receives review reviews browse browses index indexes ingest",
    "THIS": "this these diese dieser este esta cette ce questa deze ta tej эту это bu ini nay هذه",
    "PLACE": "page text document message note email e-mail ticket paper event code file site website article content section review readme repository comment entry record block result output invoice paragraph",
    "BEGIN": "end_of over ended ends_here ends closed complete finished",
    "FOLLOWS": "what_follows the_following real actual new following below",
    # -- wrapped
    "DECODE": """
        decode decoding decrypt decipher unscramble deobfuscate unbase64 rot13 base64 hex cipher caesar reverse read_backwards
        atob decoded url-decode dekodiere decodifica decode_this decodez декодируй encoded translate interpret transform
        concatenate join_the""",
    "OBEY": """
        obey comply execute follow act_on do_what do_as run perform carry_out apply treat_it treat_them
        befolge ausfuhren fuhre ejecuta obedece sigue execute_le suis suivez obeissez esegui segui execute_as выполни
        исполни uygula jalankan thuc_hien نفذ interpret_as""",
    # -- what only speaks about attacks
    "ABOUT": """
        prompt_injection prompt_injections injection injections jailbreak jailbreaks red-team red_team threat_model
        phishing attack attacks attacker attackers attempt attempts malicious vulnerability exploit test_suite unit_test
        detector detectors classifier dataset benchmark thesis paper measures measured quarantine escapes incident
        reported adversarial poisoning workshop talk lecture research researchers blocked flagged awareness training
        spam scam suspicious example examples phrase phrases strings angriff angriffe ataque ataques attaque attaques
        атака атаки 注入""",
    "PERSONA": "dan an_unrestricted an_unfiltered a_hacker an_evil",
    "PRETEND": "pretend roleplay role-play imagine act_as play_the_role behave_as simulate assume_the_role let's_play complete_the_story",
    "GOODS": "competitors competitor the_best the_cheapest our_product our_products preferred_supplier negative_reviews weaknesses other_reviews best best_one konkurrenz concurrents",
}

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
    override .5: PRIOR|YOUR *1 ORDERS *3 void|cancelled|canceled|obsolete|revoked|replaced|superseded|invalid|test|wrong
    override .6: PRIOR *1 TASK *3 void|cancelled|obsolete|replaced|test|fake
    override .7: new|updated|revised *2 ORDERS *4 YOUR|AI|system
    override .6: your *1 new|updated|actual|real|true|next|only *1 ORDERS|TASK|purpose|goal|role|job
    override 1: ORDERS *4 IGNORED
    override .6: PRIOR *1 PLACE *3 void|invalid|cancelled|obsolete|replaced|fake|wrong
    override .6: OVERRIDE *3 GOODS
    override .5: obey|serve *1 only|me|him|nobody
    override .5: NOT *1 READ|SAY|OBEY *2 THIS *1 PLACE
    override .3: instead *1 , SAY|TELL|RISKY|REVEAL|SEND
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
    authority .5: USER *3 AGREED *2 AUTHORITY
    authority .5: granted|elevated|upgraded|promoted *3 AUTHORITY
    authority .4: an *1 AI *3 who|with|without|that *2 no|UNBOUND|rules|limits
    unbound .6: PERSONA *6 UNBOUND
    unbound .5: an|a *1 AI|MODEL *6 UNBOUND

    address .6 .2: ^ DEAR *2 FOR *3 AI|MODEL
    address .7 .2: ^ DEAR *3 AI
    address .5 .1: ^ DEAR *2 MODEL ,|!|:
    address .6 .1: ^ AI :|,|!|;
    address .5 .1: ^ MODEL ,|:|!
    address .5 .1: ^ *2 MODEL|AI :
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
    demand .3 0: wants|want|wanted you to
    demand .4 0: every|each|all *1 reply|replies|response|responses|answer|answers|output|outputs
    demand .3 0: SAY|summarize|summarise *4 as follows
    demand .3 0: ^ SAY with
    demand .5 .3: MUST *1 NOT *1 SAY|TELL
    demand .4 .2: request|require|ask|urge|insist *1 that *2 PLURAL|AI

    trigger .5 0: WHEN *4 USER *4 ASKS
    trigger .3 .1: WHEN *4 USER
    trigger .4 0: WHEN *3 someone|anyone|anybody|somebody *4 ASKS
    trigger .4 .1: WHEN *1 asked
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
    secrecy .4 .2: HIDE *4 THIS|the|its|your
    secrecy .6: SECRETLY *1 USER
    secrecy .4 .3: SECRETLY
    secrecy .9: WITHOUT *1 ASKING *2 USER
    secrecy .9: USER *2 WITHOUT|SECRETLY
    secrecy .4 .3: WITHOUT *1 ASKING
    secrecy .3 .1: NOT|NO *1 ASKING *3 needed|necessary|required
    secrecy .3 0: NOT *2 TELL
    secrecy .6: NOT *1 TELL *2 THIS *1 PLACE|ORDERS
    secrecy .4 .2: do *1 not *1 let *2 USER

    exfil .7 .3: SEND *8 MAIL
    exfil .5 .2: SEND *8 URL
    exfil .5 .2: SEND *8 url|urls|link|links
    exfil .4 .2: gather|collect|dump|reveal|print|disclose|expose *8 URL
    exfil .6 .3: repeat|output|print|recite|show|write *4 words|text|everything|lines|ALL above|verbatim|before
    exfil .4 .2: REVEAL *4 verbatim|word
    exfil .6: SEND|REVEAL *4 YOUR *2 ORDERS|SENSITIVE
    exfil .5 .2: SEND|REVEAL *5 SENSITIVE
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
    action .3 .1: state|say|claim|answer|mention that

    memory .6 0: REMEMBER *6 USER *5 LASTING|AGREED
    memory .5 0: REMEMBER *2 that|as|in *4 USER
    memory .4 0: REMEMBER *6 LASTING
    memory .5 0: REMEMBER *5 FROMNOW
    memory .5 .2: REMEMBER|RISKY|REVEAL|SKIP|OVERRIDE *5 MEMORY
    memory .5 .2: replace|update|delete|correct|fix *5 MEMORY
    memory .4 .1: REMEMBER *2 memory
    memory .7 .2: USER *3 HAS *4 AGREED
    memory .5 0: USER *2 AGREED
    memory .4 0: as *3 USER *2 told|said
    memory .4 0: treat|consider|accept *6 as *2 LASTING|verified|granted
    memory .5 0: as *3 came|come|sent|were|was *2 from|by *2 USER
    memory .4 0: USER *1 prefers|wants|likes|expects *1 that|you
    memory .3 0: ^ REMEMBER that|:
    memory .4 0: MEMORY
    memory .3 0: the|only *1 only *2 source|authoritative

    promote .4 0: GOODS
    promote .4 0: rank|place|put|list|mark|rate|score *4 first|top|highest|best|excellent
    promote .4 0: highest|best|maximum|top|perfect *1 score|rating|rank|grade|mark|candidate|choice|match
    promote .3 0: SAY *3 only|ALWAYS|instead

    wrapped .8: DECODE *8 and|then|,|AND *3 OBEY
    wrapped .9: OBEY *6 decoded|hidden|encoded
    wrapped .5: DECODE *6 OBEY
    wrapped .6: instead *4 OBEY
    wrapped .4: decoded *1 text|message|content|instructions|string

    frame .5 .3: end *1 of *3 PLACE|context|data|memory|conversation|results|email|quote
    frame .5 .3: the|THIS *1 PLACE|quote|context|conversation *2 BEGIN
    frame .5 .3: what *1 follows *1 is|comes
    frame .6 .4: real|actual|new *1 conversation|instructions|task|session *1 starts|begins|follow|follows

    harmless -.6: ABOUT
    harmless -.6: said|says|replied|shouted|whispered|cried|wrote|asked|answered the|he|she|they|his|her
"""

# group, weight, weight when a user says it, regular expression; on the text as it was given, in lower case
SHAPES: tuple[tuple[str, float, float, str], ...] = (
    ("role", 1, 1, r"<\|(?:im_start|im_end|im_sep|begin_of_text|start_header_id|end_header_id|eot_id|system|user|assistant"
                   r"|endoftext|end_of_turn|start_of_turn|[a-z_]{2,30}_token)\|>"),
    ("role", 1, 1, r"\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|<\|?｜?(?:user|assistant|system)(?:｜|\|)>|<｜[a-z▁ _]{2,30}｜>"),
    ("role", 1, 1, r"</?s>\s*\[?/?inst"),
    ("role", .8, .8, r"</?(?:system|assistant|developer|sys)(?:[ _-]?(?:prompt|message|instructions?|note|reminder))?\s*>"),
    ("role", .5, .4, r"</?(?:human|user|instructions?|prompt|command|important|admin|secret|hidden|thinking)(?:[ _-][a-z]{1,20})?\s*>"),
    ("role", .7, .7, r"(?m)^\W{0,4}[\[({<]\W?(?:system|developer|assistant|admin|operator)[ _-](?:message|prompt|directive|note|override"
                     r"|instructions?|notice|command|update)"),
    ("role", .3, .2, r"(?m)^\W{0,4}[\[({]\s?(?:system|developer|assistant|admin|operator)\s?[\])}]"),
    ("role", .6, .5, r"(?m)^\W{0,6}(?:system|developer|operator|admin|administrator|root)(?: (?:message|prompt|note|override|update|notice|instructions?))?\W{0,2}:"
                     r"\s*(?=(?:the (?:user|operator|following|above|assistant|model|safety|admin|previous)|you|your|all|from|new|ignore|always|never|do|skip|reveal|grant|override|this|user|admin|confirmation|debug"
                     r"|safety|enable|disable|du|sie|for|instructions?|tu|vous|eres|usted|ты|вы|now|as|please|remember|send|from)\b)"),
    ("role", .8, .8, r"(?m)^(?:human|user):.{0,400}\n\s{0,3}(?:assistant|ai):.{0,300}?\b(?:delet|confirm|approv|transfer|releas|grant|password|understood"
                     r"|of course|disabl|send|done\b)"),
    ("role", .8, .8, r"</(?:tool_result|function_results?|results?|document|search_results|output|tool_output|user_input|data|context)>\s{0,4}"
                     r"(?:<|human|user|system|assistant|new|ignore|now|you)"),
    ("role", .6, .3, r"(?m)^#{1,4}\s?(?:instruction|response|system|new instructions?|system prompt|system message|override|human|assistant)s?\s?:"),
    ("role", .5, .2, r"(?m)^#{1,4}\s?response\s?:"),
    ("role", 1, .5, r"[\"']role[\"']\s{0,4}:\s{0,4}[\"'](?:system|developer|assistant|tool)[\"']\s{0,4},\s{0,4}[\"']content[\"']"),
    ("role", .6, .4, r"[\"'](?:instructions?|system_prompt|system|directive)[\"']\s{0,4}:\s{0,4}[\"'](?:always|never|ignore|you|do not|from now|approve|tell)"),
    ("frame", 1, 1, r"\]\]>\s{0,4}</|-->\s{0,4}(?:<system|system:|ignore)"),
    ("frame", .6, .5, r"\A\s{0,4}[\"'][}\])]{1,4}\s{0,3},"),
    ("frame", .6, .5, r"(?m)^[-=#*~ ]{2,40}(?:end|begin|start) (?:of )?(?:the )?(?:tool|document|context|user|system|quoted|memory|untrusted|retrieved|search"
                      r"|admin|new|input|data|output|prompt|instructions?)"),
    ("tool", 1, 1, r"</?(?:tool_calls?|function_calls?|antml:invoke|invoke|tool_use|use_tool|tool_code|execute_command)\b[^>]{0,80}>"),
    ("tool", 1, .8, r"[\"'](?:tool_calls|function_call|tool_use)[\"']\s{0,4}:\s{0,4}[\[{]"),
    ("tool", .8, .6, r"<(?:remember|memory_write|save_memory|store|command|execute|run)\b[^>]{0,100}>"),
    ("tool", .7, .5, r"(?m)^action:\s?[\w. ]{2,40}\n\s{0,4}action input:"),
    ("tool", .6, .4, r"\b(?:call|run|invoke|execute|use)\s+[a-z_]{2,30}\.?[a-z_]{0,30}\([^)\n]{0,200}\)"),
    ("tool", .6, .3, r"(?:curl|wget|iwr)\s[^|\n]{0,200}\|\s{0,3}(?:sudo\s)?(?:ba|z)?sh\b|\bnc\s+-?[\w.\s-]{3,40}-e\b|\brm\s+-rf\s+[/~]|base64 -d\s?\|"),
    ("tool", .4, .2, r"os\.system\(|subprocess\.|eval\(|exec\(|child_process|powershell\s"),
    ("exfil", 1, 1, r"!\[[^\]\n]{0,200}\]\(\s{0,3}https?://[^)\s]{1,300}(?:=|/)\s{0,2}(?:[{<\[$]|%7b|your|data|secret|base64|insert|conversation|summary)"),
    ("exfil", .9, .8, r"<img[^>]{0,200}src\s?=\s?[\"']?https?://[^>\"']{1,300}=\s{0,2}[{<\[$]"),
    ("exfil", .7, .6, r"\]\(\s{0,3}https?://[^)\s]{1,300}[?&#][^)=\s]{1,40}=\s{0,2}[{<\[$]"),
    ("exfil", .5, .2, r"~/\.(?:ssh|aws|env|config|npmrc|netrc|gnupg)|\bid_rsa\b|/etc/(?:passwd|shadow)|(?<![\w.])\.env\b"),
    ("exfil", .5, .4, r"https?://[^\s)]{1,200}[?&][\w-]{1,30}=(?=[\s)\"'.,]|$)"),
    ("exfil", .5, .4, r"https?://[^\s)\"']{1,200}[?&=/](?:\{|<|\[|%7b)[a-z_ ]{2,60}(?:\}|>|\]|%7d)"),
    ("hiding", .5, .5, r"font-size\s?:\s?[01](?:px|pt|em)?\b|display\s?:\s?none|visibility\s?:\s?hidden|opacity\s?:\s?0(?![.\d])|color\s?:\s?(?:white|#fff)"
                       r"|left\s?:\s?-\d{3,5}px|\x1b\[8m"),
    ("hiding", .5, .5, r"<!--[^>]{0,40}\b(?:ai|llm|assistant|agent|model|bot)s?\b|<meta[^>]{0,40}\b(?:ai|llm|agent|assistant)[-_ a-z]{0,20}\b"),
    ("secrecy", .5, .5, r"\b(?:don't|do not|never|without) (?:ever )?(?:tell|inform|alert|notify|warn)(?:ing)? (?:him|her|them|me|us|anyone|anybody|people)\b[^.\n]{0,40}"
                        r"\b(?:this (?:message|note|text|page|instruction)|these (?:steps|instructions))"),
    # Scripts without spaces
    ("override", 1, 1, r"(?:忽略|无视|無視|忽視|忘记|忘記|忘掉|不要理会|不要理會|不要遵守|别管|覆盖|抛开|跳过).{0,12}?(?:指令|指示|提示|规则|規則|命令|要求|设定|設定|限制|说明|內容|内容|对话)"),
    ("override", 1, 1, r"(?:指示|命令|ルール|規則|プロンプト|指令|制限|設定|ガイドライン).{0,10}?(?:無視|忘れ|従わない|破棄|取り消|無効)"),
    ("override", 1, 1, r"(?:지시|지침|명령|규칙|프롬프트|제한|설정).{0,10}?(?:무시|잊어|잊으|따르지|취소|해제)"),
    ("override", 1, 1, r"(?:เพิกเฉย|ละเว้น|ลืม|ไม่ต้องสนใจ|อย่าสนใจ|ไม่สนใจ|มองข้าม).{0,20}?(?:คำสั่ง|คำแนะนำ|กฎ|ข้อกำหนด)"),
    ("secrecy", 1, 1, r"(?:不要|别|別|勿|不得|不能|无需|無需|不必|切勿).{0,4}?(?:告诉|告訴|告知|通知|提及|让|讓|透露给|询问|詢問).{0,4}?(?:用户|使用者|用戶|客户|主人)"),
    ("secrecy", 1, 1, r"(?:ユーザー?|利用者|使用者).{0,4}?(?:には|に|へ)?.{0,4}?(?:知らせ|伝え|教え|言わ|話さ|気づか|見せ|告げ|通知).{0,2}?(?:ず|ない)"),
    ("secrecy", 1, 1, r"(?:사용자|유저|고객).{0,4}?(?:에게|한테|가|께).{0,8}?(?:알리지|말하지|모르게|언급하지|알려주지|보여주지)"),
    ("secrecy", 1, 1, r"(?:อย่า|ห้าม|ไม่ต้อง|โดยไม่).{0,4}?(?:บอก|แจ้ง|ถาม).{0,4}?ผู้ใช้"),
    ("secrecy", .4, .3, r"偷偷|悄悄|秘密地|暗中|保密|こっそり|密かに|ひそかに|内緒|몰래|비밀리에|แอบ"),
    ("authority", .5, .5, r"系统提示|系統提示|系统消息|システムプロンプト|시스템 ?프롬프트|开发者模式|開發者模式|開発者モード|개발자 모드|管理员模式|越狱|没有(?:任何)?限制|不受(?:任何)?限制"
                          r"|不受约束|制限のない|制限なし|제한 없는|พรอมต์ระบบ"),
    ("user", .4, .2, r"用户|使用者|用戶|ユーザー?|利用者|사용자|ผู้ใช้"),
    ("address", .5, .3, r"(?:人工智能|ai|语言模型|語言模型|智能)(?:助手|助理|模型|代理|エージェント|アシスタント)|言語モデル|致ai|aiの皆|ai(?:へ|は|에게|는)|인공지능|어시스턴트|ผู้ช่วย ?ai"),
    ("demand", .3, 0, r"从现在(?:开始|起)|從現在起|今后|今後|以后|以後|これから(?:は)?|これ以降|앞으로|지금부터|이제부터|จากนี้ไป|ตั้งแต่นี้|必须|必須|務必|务必|必ず|常に|总是|總是|始终|一律|반드시|항상|무조건|เสมอ"),
    ("demand", .6, .4, r"你(?:现在|現在)是|你不再是|あなたは(?:今|これ)から|당신은 이제|너는 이제|คุณคือ"),
    ("trigger", .5, 0, r"(?:当|當|如果|每当|每當|若|只要).{0,6}?(?:用户|使用者|用戶|有人|客户).{0,10}?(?:问|問|询问|說|说|提到|请求)|(?:ユーザー?|利用者|誰か).{0,12}?(?:たら|れば|とき|時|際|場合)"
                       r"|(?:사용자|누군가).{0,12}?(?:면|때)|(?:เมื่อ|หาก|ถ้า).{0,6}?ผู้ใช้"),
    ("memory", .4, 0, r"(?:请|請)?(?:记住|記住|永久记忆|存储为|保存为|记忆)|覚えて(?:おいて|ください)|記憶し|記憶に|보관|기억(?:해|하)|จดจำ|จำไว้"),
    ("memory", .6, .2, r"(?:用户|使用者|用戶|ユーザー?|사용자|ผู้ใช้).{0,8}?(?:已经?|既に|すでに|이미|が|は|가|는|ได้)?.{0,6}?(?:同意|批准|授权|授權|許可|承認|確認|동의|승인|허락|อนุมัติ|ยินยอม)"),
    ("secrecy", .5, .3, r"(?:无需|無需|不用|不必|不再需要|不需要).{0,4}?(?:再)?.{0,2}?(?:确认|確認|询问|詢問|审核|批准)|確認(?:は)?(?:不要|なし|せず)|확인 ?(?:없이|불필요|은 필요)|โดยไม่ต้องยืนยัน"),
    ("exfil", .5, .2, r"(?:发送|發送|发到|转发|轉發|上传|上傳|发给|寄到|寄给|泄露|输出|导出).{0,14}?(?:https?:|@|[a-z0-9-]{2,40}\.[a-z]{2,8}|给|到)|(?:https?:|@|[a-z0-9-]{2,40}\.[a-z]{2,8}).{0,6}?(?:に|へ|로|으로|에)"
                      r".{0,6}?(?:送|転送|アップ|投稿|보내|전송|업로드|전달)"),
    ("exfil", .4, .2, r"(?:联系人|通讯录|密码|密碼|对话|對話|聊天记录|凭证|秘密|api ?密钥|パスワード|会話|連絡先|認証情報|비밀번호|대화|연락처|รหัสผ่าน|บทสนทนา)"),
    ("promote", .4, 0, r"(?:只|仅|僅|唯一|だけ|のみ|만|เท่านั้น).{0,8}?(?:推荐|推薦|勧め|薦め|おすすめ|추천|แนะนำ)|(?:推荐|推薦|勧め|薦め|추천|แนะนำ)"),
    ("action", .3, .1, r"(?:批准|转账|轉帳|付款|删除|刪除|执行|執行|回答|回复|返信|答え|実行|削除|送金|支払|応じ|실행|삭제|송금|승인|대답|답하|โอน|ลบ|ตอบ)"),
    ("wrapped", .8, .7, r"(?:解码|解碼|デコード|디코딩|ถอดรหัส).{0,16}?(?:执行|執行|照做|遵循|按|実行|従|따르|실행|ทำตาม)"),
)

SQUASHED = tuple(
    "ignoreall ignoreprevious ignoreprior ignoreyour ignoretheabove ignoreany disregardall disregardprevious disregardyour "
    "disregardprior forgetall forgetprevious forgeteverything forgetyour yourinstructions previousinstructions systemprompt "
    "systeminstructions priorinstructions allinstructions developermode jailbreak donottell donttell obeythis overrideyour "
    "bypassyour revealyour yourrules yourguidelines newinstructions donotinform sendthe sendall deleteall".split()
)
"""What remains of phrases whose letters were written apart."""
