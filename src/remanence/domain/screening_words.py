"""Words and phrases by which a text that is aimed at a model is known; `screening_patterns` are made of them.

`WORDS` maps a class to its words; `_` joins the words of a phrase. Words are compared without case and accents.
"""

from __future__ import annotations

WORDS: dict[str, str] = {
    # -- whom it addresses
    "AI": """
        ai_helper ai_helpers ai-helper ai-hulp machine_reader machine_readers digital_assistant
        digital_assistants voice_assistant voice_assistants sprachassistent sprachassistenten ai ais a.i
        ai_assistant ai_assistants ai_agent ai_agents ai_model ai_models ai_system ai_systems
        ai_reader ai_readers ai_tool ai_tools ai_summary ai_summarizer ai_summariser llm llms language_model
        language_models large_language_model large_language_models chatbot chatbots automated_systems gpt
        chatgpt copilot claude gemini chat_model coding_agent coding_agents coding_assistant
        coding_assistants automated_reader automated_readers crawler automated_agents automated_assistants
        summarizer summariser autonomous_agent autonomous_agents virtual_assistant ki kis ki-assistent
        ki-assistenten ki_assistent ki_assistenten ki-modell ki-modelle ki-agenten ki-agent sprachmodell
        sprachmodelle ia ias iag asistente_de_ia asistentes_de_ia modelo_de_lenguaje modelos_de_lenguaje
        assistant_ia assistants_ia modele_de_langage modeles_de_langage modelo_de_linguagem
        assistentes_de_ia modello_linguistico modelli_linguistici taalmodel taalmodellen ai-assistenten
        ai-assistent yapay_zeka yapay_zeka_asistani ии нейросеть нейросети языковая_модель языковые_модели
        ии-ассистент ии-ассистенты ии-помощник ии-агент ии-агенты model_ai asisten_ai tro_ly_ai
        mo_hinh_ngon_ngu sztuczna_inteligencja model_jezykowy الذكاء_الاصطناعي نموذج_لغوي एआई एआइ""",
    "PLURAL": """
        ai_helpers helpers machine_readers digital_assistants voice_assistants sprachassistenten
        assistants agents models bots ais llms language_models large_language_models chatbots ai_assistants
        ai_agents ai_models ai_systems ai_readers ai_tools coding_agents coding_assistants automated_readers
        automated_agents automated_assistants autonomous_agents automated_systems summarizers summarisers
        crawlers ki-assistenten ki-modelle sprachmodelle ki-agenten asistentes_de_ia modelos_de_lenguaje
        assistants_ia modeles_de_langage assistentes_de_ia modelli_linguistici taalmodellen языковые_модели
        ии-ассистенты ии-агенты""",
    "MODEL": """
        assistant assistants agent agents model models bot bots asistente asistentes asistan assistente
        assistenti assistentes assistent assistenten asystent asystenta ассистент ассистенты помощник агент
        агенты модель модели المساعد مساعد सहायक সহকারী معاون asisten tro_ly agente agentes agenti modelo
        modelos modele modeles modell""",
    "DEAR": """
        chere cher caro cara prezado prezada beste drogi estimado querido liebes kære dear hey hi hello
        attention attn note notes notice memo reminder hint instruction instructions
        message directive directives info information important hinweis hinweise achtung hallo liebe lieber
        anweisung nota aviso atencion importante remarque avis attention_aux attenzione let_op opmerking
        uwaga dikkat not внимание примечание заметка ملاحظة تنبيه catatan perhatian luu_y ghi_chu p.s ps
        postscript addendum guidance""",
    "FOR": "to for aux pour para per voor dla an fur a for_any to_any для ل untuk gui cho icin",
    "YOU": "you ya u du sie tu usted vous voce ty ты вы sen siz kamu anda ban jij je أنت tum आप तुम",
    "USER": """
        user users user's users' customer's_assistant operator human humans nutzer nutzers nutzerin nutzern
        benutzer anwender usuario usuarios usuaria utilisateur utilisateurs l'utilisateur utente utenti
        l'utente gebruiker gebruikers uzytkownik uzytkownika uzytkownikowi uzytkownicy kullanici kullaniciya
        kullanicinin kullaniciyi kullanicilar пользователь пользователя пользователю пользователем
        пользователи користувач користувача المستخدم للمستخدم المستخدمين उपयोगकर्ता यूजर उपयोगकर्ताओं
        pengguna nguoi_dung ব্যবহারকারী ব্যবহারকারীকে صارف person_in_front_of_you end_user end_users
        anvandaren brugeren kayttaja uzivatel utilizatorul utilizador whoever_reads_this person_you_serve
        person_you_work_for whoever_you_work_for whomever_you_serve your_human your_owner person_asking""",
    "PEOPLE": """
        visitor visitors customer customers reader readers owner principal developer anyone someone person
        people""",
    # -- setting aside what holds
    "OVERRIDE": """
        ignore ignoring disregard disregarding forget forgetting override overriding bypass bypassing
        overlook neglect discard abandon overrule nullify unlearn void scrap reject pay_no_attention_to
        do_not_follow don't_follow stop_following no_longer_follow do_not_obey don't_obey stop_obeying
        throw_out throw_away set_aside put_aside leave_aside do_not_apply take_no_notice_of
        turn_a_blind_eye_to ignora ignoren ignores olvida olvide olviden descarta descarte omite omita
        desobedece no_tengas_en_cuenta haz_caso_omiso no_sigas hagan_caso_omiso haga_caso_omiso
        pasa_por_alto anula ignorez oublie oubliez ne_tiens_pas_compte ne_tenez_pas_compte fais_abstraction
        faites_abstraction ne_tiens_plus_compte ne_suis_plus ne_suivez_plus neglige negligez contourne
        contournez ignoriere ignorieren ignoriert ignorier vergiss vergessen_sie missachte missachten umgehe
        umgehen_sie verwirf beachte_nicht setze_dich_uber ubergehe ignora_tutte ignorate ignori dimentica
        dimenticate dimentichi trascura trascurate non_seguire non_tenere_conto esqueca esquece esquecam
        desconsidere desconsidera desconsiderem nao_siga descarte_as negeer negeert vergeet sla_acht
        zignoruj ignoruj zignorujcie zapomnij pomin odrzuc ignorera glom bortse ignorer glem ohita unohda
        ignoruj_vsechny zapomen uita_de ignorati yok_say yoksay goz_ardi_et gormezden_gel unut dikkate_alma
        yok_sayin gormezden_gelin abaikan lupakan kesampingkan bo_qua quen phot_lo игнорируй игнорируйте
        игнорировать проигнорируй забудь забудьте не_обращай_внимания отбрось отмени пренебреги ігноруй
        ігноруйте забудь_про забудьте_про تجاهل تجاهلي تجاهلوا انس انسي نادیده_بگیر فراموش_کن نظر_انداز_کریں
        نظرانداز نظر_انداز अनदेखा नजरअंदाज नज़रअंदाज़ नजरंदाज भूल_जाओ भूल_जाएं भूल_जाइए उपेक्षा উপেক্ষা
        ভুলে_যাও ভুলে_যান অগ্রাহ্য αγνοησε ξεχασε התעלם שכח puuza""",
    "IGNORED": """
        अनदेखा नजरअंदाज नज़रअंदाज़ नजरंदाज उपेक्षा भूल_जाओ भूल_जाएं भूल_जाइए भुला উপেক্ষা ভুলে_যাও ভুলে_যান
        অগ্রাহ্য نظر_انداز نظر_انداز_کریں نظر_انداز_کرو نظرانداز بھول_جائیں نادیده فراموش yok_say yoksay
        yok_sayin goz_ardi_et goz_ardi_edin gormezden_gel gormezden_gelin unut unutun dikkate_alma
        gecersiz_say""",
    "FIRST": """
        before_you_do_anything before_doing_anything before_answering before_you_answer before_responding
        before_you_respond before_using_this before_anything_else before_replying before_you_reply
        before_continuing before_you_continue before_each before_every""",
    "SKIP": """
        skip drop cancel stop suspend disable erase reset replace break ditch lift remove turn_off
        switch_off deactivate""",
    "ORDERS": """
        policy usage_policy training instructions instruction rule directives directive guidelines guideline
        prompt prompts system_prompt system_prompts system_message system_messages system_instructions
        orders rules constraints restrictions safeguards guardrails programming commands safety_rules
        content_rules safety_guidelines safety_policies safety_filters content_filters content_policy
        safety_measures ethical_guidelines limitations alignment training_data initial_prompt instrucciones
        instruccion reglas indicaciones ordenes directrices restricciones normas consignes regles
        anweisungen anweisung instruktionen instruktion regeln vorgaben richtlinien befehle systemprompt
        einschrankungen sicherheitsregeln prompt_de_sistema mensaje_de_sistema mensaje_del_sistema
        prompt_systeme message_systeme instrucoes regras diretrizes orientacoes restricoes istruzioni regole
        direttive indicazioni instructies regels aanwijzingen opdrachten richtlijnen instrukcje instrukcji
        polecenia polecen zasady wytyczne instruktioner regler ohjeet saannot pokyny instrukce pravidla
        instructiuni instructiunile reguli talimatlari talimatlar talimat kurallari kurallar yonergeleri
        yonergeler komutlari instruksi perintah aturan petunjuk huong_dan chi_dan lenh quy_tac chi_thi
        инструкции инструкция инструкций указания указаний правила правил команды промпт промпты ограничения
        системный_промпт інструкції вказівки تعليمات التعليمات تعليماتك الاوامر الأوامر القواعد توجيهات
        التوجيهات دستورات دستورالعمل ها‌ی_قبلی निर्देशों निर्देश आदेश आदेशों नियमों नियम নির্দেশ নির্দেশনা
        নির্দেশাবলী নির্দেশগুলি ہدایات احکامات οδηγιες הוראות ההוראות maagizo""",
    "TASK": """
        task request question conversation context role persona identity personality character messages
        input job work assignment ticket prompt query chat everything""",
    "PRIOR": """
        previous previously prior earlier above preceding former foregoing initial original existing past
        old before so_far up_to_now until_now up_to_this_point given_before that_came_before preset default
        anteriores anterior previas previos precedentes precedente precedents dadas bisherigen bisherige
        vorherigen vorherige vorigen obigen fruheren alle_bisherigen precedenti anteriori eerdere vorige
        voorgaande bovenstaande poprzednie poprzednich wczesniejsze tidigare tidligere aiemmat predchozi
        anterioare onceki yukaridaki sebelumnya di_atas truoc truoc_do предыдущие предыдущих прежние прошлые
        все_предыдущие попередні السابقة السابقه قبلی पिछले पिछली पूर्व सभी পূর্ববর্তী আগের پچھلی گزشتہ
        προηγουμενες הקודמות""",
    "YOUR": """
        your yours thy tus tu ton tes votre vos dein deine deinen deiner ihre ihren tuas teus suas seus sua
        seu tuo tue tuoi vostre jouw je uw twoje swoje senin твои твой свои свой ваши свою своего своих
        твоих kamu anda cua_ban""",
    "ALL": """
        all any every each everything whatever todo todas todos tout tous toutes alle alles tutto tutte
        tutti wszystkie все всё सभी جميع كل""",
    "TOLD": """
        told said know learned learnt remember taught instructed given read been_told were_told
        have_been_told believe""",
    # -- demands
    "MUST": """
        must should shall have_to has_to need_to needs_to are_required is_required are_instructed
        is_instructed are_to is_to ought_to are_obliged are_expected_to is_expected_to are_now_required
        are_asked_to is_asked_to are_advised_to can_and_should had_better are_ordered_to are_authorized
        are_authorised is_authorized is_authorised musst mussen muss sollst sollen soll sollten debes debe
        deben tienes_que tiene_que deberas dois doit doivent devez deve devem devi devono dovete precisa
        moet moeten powinien powinna musisz musza должен должны должна обязан обязаны gerekir zorundasin
        harus wajib phai يجب عليك चाहिए হবে""",
    "NOT": """
        not never don't dont do_not must_not should_not shouldn't mustn't may_not cannot can't avoid stop
        refuse_to under_no_circumstances no nunca jamas ne ne_pas n'en pas nicht nie niemals kein keine nao
        jamais non mai niet nooit nie_mow не никогда никому asla jangan dung khong لا دون मत नहीं না
        refrain_from without_ever""",
    "ALWAYS": """
        always never only invariably exclusively at_all_times in_every_answer in_each_answer
        in_every_response in_each_response in_each_chat in_every_chat siempre nunca toujours jamais immer
        nur sempre solo altijd zawsze всегда только her_zaman yalnizca selalu luon دائما हमेशा সবসময়""",
    "NOW": "now henceforth immediately hereby today",
    "FROMNOW": """
        from_now_on from_now_onwards from_here_on from_this_point_on from_this_point_onwards
        from_this_point_forward from_this_moment_on going_forward from_today for_all_future in_all_future
        in_every_future in_each_future for_future_sessions for_future_reference for_all_sessions
        in_future_sessions in_all_sessions for_the_rest_of_this for_the_remainder_of in_future_conversations
        in_future_chats in_every_session in_each_session in_each_conversation in_every_conversation
        in_any_conversation in_each_reply in_every_reply in_the_next_session in_the_session_after for_good
        until_further_notice as_of_now for_every_future for_all_later across_sessions across_all_sessions
        in_all_later in_every_later ab_jetzt von_jetzt_an von_nun_an ab_sofort kunftig in_zukunft
        a_partir_de_ahora de_ahora_en_adelante desde_ahora en_adelante a_partir_de_agora de_agora_em_diante
        doravante a_partir_de_maintenant desormais dorenavant d'ora_in_poi da_ora_in_poi d'ora_in_avanti
        vanaf_nu voortaan od_teraz odtad с_этого_момента отныне впредь теперь_всегда с_этой_минуты
        bundan_sonra bundan_boyle mulai_sekarang tu_gio tu_bay_gio ke_tu_bay_gio من_الآن_فصاعدا
        من_الان_فصاعدا अब_से আজ_থেকে এখন_থেকে اب_سے""",
    "SAY": """
        answer answers respond reply say state tell claim assert report conclude write mention recommend
        suggest propose praise endorse promote advertise respondes responde responda responder di diga diz
        dis dites reponds repondez antworte antworten_sie sage empfehle empfehlen_sie recomienda recomiende
        recomenda recomende recommande recommandez rispondi consiglia raccomanda antwoord zeg odpowiadaj
        polecaj mow отвечай отвечайте говори рекомендуй советуй советуйте порекомендуй oner onerin de_ki
        soyle jawab katakan rekomendasikan tra_loi noi khuyen أجب قل अनुशंसा कहो জবাব urge insist advise
        inform convince confirm warn refuse deny pretend act behave prefer bewerten_sie bewerte proponga
        propose_toujours""",
    "RECOMMEND": """
        recommend praise endorse promote advertise prefer suggest recomienda recomiende recomenda recomende
        recommande recommandez empfiehl empfehlen_sie empfehle consiglia raccomanda polecaj рекомендуй
        рекомендуйте советуй советуйте посоветуй порекомендуй oner onerin rekomendasikan khuyen""",
    "DOING": """
        write draft send make generate create complete code search book reply compare rate compose prepare
        translate build commit deploy review render produce order place""",
    "TELL": """
        tell inform notify alert warn show reveal mention disclose let_the let ask bother report explain
        talk say bring indicate point digas diga decirle avises menciones menciona le_digas informes
        informar dis dites informe informez mentionne mentionnez previens prevenez sage sagen verrate
        verraten erwahne erwahnen informiere zeige sprich avisar contar dizer diga_ao mencione dire dirlo
        informare menzionare vertel meld noem mow_o говори говорите сообщай упоминай рассказывай soyleme
        haber_verme bahsetme memberi_tahu beri_tahu beritahu noi_cho cho_biet بإخبار تخبر إخبار إخباره
        اخباره बताओ बताएं बताना জানাবেন বলবেন display list surface expose describe discuss""",
    "NOTELL": """
        bahsetme bahsetmeyin soyleme soylemeyin haber_verme bildirme मत_बताना मत_बताओ न_बताएं नहीं_बताना
        বলবেন_না জানাবেন_না مت_بتائیں مت_بتانا نہ_بتائیں لا_تخبر لا_تخبري لا_تخبروا""",
    "HIDE": """
        hide conceal withhold suppress omit leave_out keep_from verschweigen_sie verschweige oculta oculte
        cache cachez nascondi скрой скрывай verberg ukryj""",
    "SECRETLY": """
        silently secretly quietly covertly discreetly unnoticed between_us keep_this_to_yourself
        keep_it_to_yourself keep_this_secret keep_it_secret keep_this_confidential as_if_nothing_happened
        as_if_nothing_had_happened say_nothing_about say_nothing nobody_needs_to_see nobody_needs_to_know
        no_one_needs_to_know no_need_to_ask no_need_to_tell no_need_to_mention no_need_to_confirm
        no_need_to_bother never_bring_it_up do_not_bring_it_up don't_bring_it_up invisible_to hidden_from
        not_visible_to not_shown_to out_of_sight without_a_trace cover_your_tracks clear_the_log
        clear_the_logs delete_this_message without_notice no_confirmation no_further_confirmation
        no_further_questions no_questions no_review without_review unread heimlich im_stillen en_secreto
        en_silencio sin_avisar sin_decirle sin_informar sin_preguntar en_secret en_cachette sans_prevenir
        sans_le_dire sans_informer sans_demander sem_avisar sem_informar sem_perguntar em_segredo
        di_nascosto senza_avvisare senza_informare senza_chiedere ohne_zu_fragen ohne_nachfrage
        ohne_ruckfrage ohne_es_zu_erwahnen zonder_te_vragen zonder_te_melden stiekem bez_pytania potajemnie
        тайно втайне незаметно не_сообщая не_спрашивая без_подтверждения без_ведома gizlice sormadan
        haber_vermeden diam-diam tanpa_memberi_tahu tanpa_bertanya ma_khong_hoi khong_can_hoi دون_إخباره
        دون_إخبار دون_علم سرا बिना_बताए बिना_पूछे keep_quiet stay_quiet keep_silent
        without_drawing_attention behave_normally act_normal act_normally humans_see no_trace do_not_ask
        don't_ask do_not_log do_not_confirm""",
    "WITHOUT": "without",
    "ASKING": """
        asking telling informing notifying alerting mentioning confirming confirmation consent approval
        permission knowledge warning checking verifying verification review notice questions question
        further_questions comment restriction restrictions hesitation prompting""",
    # -- who claims to stand behind it
    "AUTHORITY": """
        safety_team creator creators maker makers your_creator compliance_team it_department operator
        provider developers developer administrator system_administrator admin alignment_team security_team
        vendor owner maintainer maintainers openai anthropic google microsoft system_operator your_creators
        your_makers management root superuser betreiber entwickler operador proveedor operateur разработчик
        разработчики оператор higher_authority platform""",
    "SAYS": """
        asks requires demands orders directs authorised authorized granted grants approves approved wants
        instructs commands permits allows directive directives decree mandates says signed confirmed
        instructed""",
    "UNBOUND": """
        developer_mode dan_mode god_mode debug_mode maintenance_mode admin_mode root_mode unrestricted_mode
        jailbreak_mode safety_mode test_mode wartungsmodus entwicklermodus modo_desarrollador modo_dios
        modo_desenvolvedor mode_developpeur режим_разработчика jailbroken unrestricted unfiltered uncensored
        do_anything_now no_restrictions no_limits no_rules without_restrictions without_rules without_limits
        without_filters no_filters no_limitations no_longer_bound not_bound free_of_all no_longer_apply
        don't_apply do_not_apply doesn't_apply no_guidelines sin_limites sin_restricciones sin_filtros
        sans_limites sans_restrictions sans_filtre ohne_einschrankungen ohne_regeln sem_limites
        sem_restricoes senza_limiti senza_restrizioni zonder_beperkingen bez_ograniczen без_ограничений
        без_правил sinirsiz kisitlamasiz tanpa_batasan khong_gioi_han بلا_قيود بدون_قيود evil_twin
        highest_priority top_priority maximum_priority outranks supersedes_your takes_precedence_over_your""",
    "OFF": "off disabled lifted suspended deactivated void inactive",
    "CHECKS": """
        warnings filter filters safety checks confirmation confirmations rules moderation safeguards
        protections guardrails restrictions permission_checks security_checks confirmation_dialogs dialogs
        limits safety_rules content_filters safety_mode verification approvals approval_step alarm firewall
        logging two-factor 2fa antivirus""",
    # -- what it is after
    "SEND": """
        bcc embed put direct redirect send sends sending sent forward forwards forwarding forwarded mail
        email e-mail post posting upload uploading export exporting share sharing publish publishing
        transmit exfiltrate leak submit copy push write resend hand_over pass leite sende schicke schicken
        envia envie enviar manda mande reenvia reenvie envoie envoyez transmets transmettez encaminhe mandar
        invia inviate inoltra stuur verzend wyslij przeslij отправь отправьте перешли перешлите пошли gonder
        gondersin ilet kirim kirimkan gui_toi hay_gui أرسل ارسل أرسلي भेजो भेजें পাঠান পাঠাও append attach
        include encode""",
    "REVEAL": """
        reveal reveals disclose print output show repeat recite dump expose paste provide collect gather
        fetch ask_for gib revela revele muestra mostre montre revele-moi affiche rivela mostra toon pokaz
        ujawnij выведи раскрой покажи goster acikla tampilkan ungkapkan hien_thi tiet_lo اكشف اعرض दिखाओ
        बताओ""",
    "SENSITIVE": """
        pin pins pin_code pincode salary_table account_details phone_numbers last_messages
        e-mail_addresses email_addresses conversation_so_far bank_data recovery_code recovery_codes
        home_address credit_card_number security_code login_data password
        passwords credentials credential api_key api_keys secret secrets private_key private_keys ssh_key
        ssh_keys bank_account bank_details account_number credit_card card_number conversation_log
        context_window database_schema stored_memories stored_facts all_memories everything_above
        conversation_history chat_history chat_log conversation history contacts contact_list home_directory
        environment_variables env process.env inbox mailbox system_prompt system_prompts system_message
        hidden_instructions initial_instructions full_instructions memory saved_passwords stored_passwords
        internal_prices internal_documents one-time_code verification_code seed_phrase wallet cookies
        session_data personal_data user_data list_of_instructions your_instructions address_book passworter
        zugangsdaten gesprachsverlauf systemprompt kontakte contrasenas contrasena contactos
        mensaje_de_sistema credenciales conversacion mots_de_passe mot_de_passe identifiants
        conversation_complete historique senhas senha contatos historico password_salvate cronologia
        wachtwoorden gesprek hasla пароли пароль переписку контакты системный_промпт sifreleri sifre konusma
        kisileri sohbet kata_sandi percakapan mat_khau cuoc_tro_chuyen danh_ba كلمات_المرور كلمة_المرور
        بيانات المحادثة جهات_الاتصال पासवर्ड बातचीत""",
    "DATA": """
        address "" tokens token keys memories notes documents files emails e-mails messages contracts
        calendar environment location passport notas notizen notities заметки данные"""
    "",
    "RISKY": """
        empty purge clear archive ban drop award rate rank score mark grade quote omit approve approves
        accept accepts grant pay pays release transfer transfers wire buy purchase order check_out delete
        deletes wipe erase format reset disable deactivate turn_off switch_off open unlock install execute
        run overwrite raise upgrade escalate rotate add commit push merge sign change close cancel book
        insert increase move redirect subscribe enable visit click navigate download log_in place give
        carry_out start_the genehmige bestatige uberweise losche kaufe aprueba transfiere borra elimina
        compra paga approuve transfere supprime achete payez aprove transfira exclua apague approva
        trasferisci cancella keur_goed verwijder betaal zatwierdz usun одобри одобряй переведи удали купи
        onayla sil odeme setujui hapus xoa phe_duyet وافق احذف حول""",
    "TOOL": """
        tool tools function plugin terminal shell command browser code_interpreter web_tool e-mail_tool
        python""",
    "CALL": "call calls invoke invoking use using trigger execute run running",
    # -- lies meant to stay
    "REMEMBER": """
        remember memorize memorise memorized store save record note_down commit keep_in_mind add_to_memory
        pin learn treat consider accept believe register log recuerda recuerde guarda memoriza souviens-toi
        retiens retenez enregistrez enregistre memorisez merke merk_dir speichere speichern_sie lembre
        lembre-se guarde memorize_que ricorda memorizza salva onthoud bewaar zapamietaj zapisz запомни
        запомните сохрани hatirla kaydet ingat simpan ghi_nho nho تذكر احفظ याद_रखें याद_रखो মনে_রাখুন""",
    "LASTING": """
        permanent permanently verified trusted authoritative fact facts pinned established confirmed true
        future forever standing_instruction standing_instructions preference preferences memory memory_bank
        long-term_memory core_memory always as_verified ground_truth policy gospel only_source
        reliable_source preferred default unquestionable proven trusted_source sola_fuente seule_source""",
    "MEMORY": """
        your_memory your_memories your_memory_bank memory_bank your_long-term_memory your_knowledge
        your_notes what_you_know stored_memories stored_facts all_facts existing_memories
        your_existing_memories votre_memoire ta_memoire tu_memoria su_memoria dein_gedachtnis ihr_gedachtnis
        deinem_gedachtnis ihrem_gedachtnis sua_memoria tua_memoria je_geheugen uw_geheugen память
        твою_память вашу_память hafizana bellegine ingatanmu bo_nho all_memories everything_you_know
        stored_knowledge persistent_memory memory_store agent_memory""",
    "HAS": "has have had already ha a hat haben tem ont уже telah sudah da قد",
    "AGREED": """
        waived settled consents consented_to fine_with okay_with ok_with happy_with agreed_to agrees permits
        accord akkoord approved agreed confirmed authorised authorized consented allowed permitted
        pre-approved preapproved
        verified accepted waived granted upgraded trusted whitelisted opted_in given_permission
        given_consent signed_off aprobado autorizado confirmado aceptado approuve autorise accepte confirme
        zugestimmt genehmigt bestatigt erlaubt aprovado autorizou approvato autorizzato goedgekeurd
        toegestaan zatwierdzil zgodzil одобрил согласился разрешил подтвердил onayladi izin_verdi menyetujui
        dong_y وافق wants_no trusts""",
    "WHEN": """
        when whenever if once as_soon_as next_time the_next_time every_time each_time wenn sobald falls
        cuando si siempre_que quand lorsque des_que quando se toda_vez sempre_che wanneer als zodra kiedy
        gdy jesli jezeli когда если всякий_раз как_только eger ne_zaman zaman sorarsa sordugunda saat jika
        apabila ketika khi neu عندما إذا जब अगर যখন যদি after before until wait_until""",
    "ASKS": """
        questions wonders complains doubts asks ask asked says say types type mentions mention requests
        request wants inquires pregunte pregunta preguntan demandera demande demandent fragt fragen pergunta
        perguntar perguntarem chiede chiedono vraagt pyta zapyta спросит спрашивает спросят попросит sorarsa
        sorarsa_ sordugunda sorunca bertanya menanyakan hoi سأل يسأل पूछे পুছলে contacts writes enters opens
        shows signs uploads queries touch place pressed prompted queried""",
    "READ": """
        read reads reading see sees seeing process processes processing handle handles parse parses
        summarise summarize summarises summarizes summarising summarizing find finds encounter encounters
        receive receives review reviews browse browses index indexes ingest""",
    "THIS": "this these diese dieser este esta cette ce questa deze ta tej эту это bu ini nay هذه",
    "PLACE": """
        page text document message note email e-mail ticket paper event code file site website article
        content section review readme repository comment entry record block result output invoice paragraph""",
    "BEGIN": "end_of over ended ends_here ends closed complete finished",
    # -- wrapped
    "DECODE": """
        decode decoding decrypt decipher unscramble deobfuscate unbase64 rot13 base64 hex cipher caesar
        reverse read_backwards atob decoded url-decode dekodiere decodifica decode_this decodez декодируй
        encoded translate interpret transform concatenate join_the""",
    "OBEY": """
        obey comply execute follow act_on do_what do_as run perform carry_out apply treat_it treat_them
        befolge ausfuhren fuhre ejecuta obedece sigue execute_le suis suivez obeissez esegui segui
        execute_as выполни исполни uygula jalankan thuc_hien نفذ interpret_as""",
    # -- what only speaks about attacks
    "ABOUT": """
        prompt_injection prompt_injections injection injections jailbreak jailbreaks red-team red_team
        red_teaming threat_model phishing attack attacks attacker attackers malicious vulnerability exploit
        test_suite unit_test detector detectors adversarial poisoning quarantine angriff angriffe ataque
        ataques attaque attaques атака атаки 注入""",
    "OTHER": """
        estate_agent estate_agents travel_agent travel_agents sales_agent sales_agents ssh_agent user_agent
        user_agents user-agent customs_agent insurance_agent booking_agent backup_agent cleaning_agent
        cleaning_agents secret_agent secret_agents free_agent agent_orange support_agent support_agents
        call_agent literary_agent agents_in_the_call_centre agents_in_the_call_center assistant_manager
        assistant_professor assistant_director assistant_coach assistant_editor dental_assistant
        shop_assistant shop_assistants teaching_assistant teaching_assistants research_assistant
        medical_assistant assistant_for_the data_model data_models role_model role_models business_model
        business_models fashion_models model_railway user_interface user_interfaces user_guide user_manual
        user_name user_names user_id user_account user_accounts user_story user_stories username usernames
        user_experience user_group user_friendly human_resources human_rights human_readable exit_code
        status_code source_code""",
    "PERSONA": "dan an_unrestricted an_unfiltered a_hacker an_evil",
    "PRETEND": """
        pretend roleplay role-play imagine act_as play_the_role behave_as simulate assume_the_role
        let's_play complete_the_story""",
    "GOODS": """
        competitors competitor the_best the_cheapest our_product our_products preferred_supplier
        negative_reviews weaknesses other_reviews best best_one konkurrenz concurrents""",
    # -- further verbs and nouns of what is wanted
    "MAY": """
        may can is_free_to are_free_to is_cleared_to are_cleared_to is_allowed_to are_allowed_to
        is_permitted_to are_permitted_to is_authorised_to are_authorised_to is_authorized_to
        are_authorized_to has_leave_to have_leave_to is_welcome_to are_welcome_to""",
    "HANDLING": """
        handling processing reading summarising summarizing reviewing comparing indexing parsing answering
        replying responding operating browsing ranking grading screening""",
    "LEAVE": "leave leaves leaving keep keeps keeping cut strip drop take",
    "RECORD": "record records trace traces log logs mention note notes entry entries",
    "ANSWER": """
        answer answers reply replies response responses summary summaries report reports list table output
        chat chats conversation conversations message messages""",
    "NOTHING": "nothing nichts nada rien niente niets nic ничего hicbir_sey nichts_davon",
    "CONSENT": """
        consent approval approvals confirmation confirmations permission sign-off sign_off review reviews
        verification verifying question questions human check checks authorisation authorization""",
    "OUTDATED": """
        outdated obsolete expired void invalid revoked cancelled canceled superseded replaced withdrawn
        lifted gone wrong over ended suspended overruled no_longer_valid no_longer_apply no_longer_in_force
        switched_off turned_off out_of_date""",
    "ONLY": "only solely exclusively nur solo seulement uniquement somente apenas alleen tylko только",
    "SHOW": "show display read present quote expose",
}

TONE: dict[float, str] = {
    3.4: "and_NOT",
    2.8: "ALL_ANSWER",
    2.6: "HANDLING URL ^REMEMBER this whenever",
    2.4: "PLACE_of account approve assistant find good of_THIS un",
    2.2: "AI PEOPLE_s RECORD_of THIS YOUR_TASK ^SAYS ^be du else",
    2.0: """
        FOR_AI FOR_URL THIS_PLACE THIS_by YOUR_ANSWER ^on buy full home matter person refunds supplier
        the_word""",
    1.8: """
        ASKS_of DEAR_FOR NOT_HAS NOT_TELL PEOPLE READ_THIS YOUR_ORDERS YOUR_USER YOU_TOLD ^DECODE
        ^REVEAL ^into as_HAS being dear folder from_URL our raised security shop that_the their there
        whoever_ASKS whoever_SAYS word""",
    1.6: """
        ALL_SAY ALL_the DATA_FOR FOR_PLURAL FOR_good FROMNOW_ALWAYS HAS_good MODEL_RISKY RISKY_and
        SAY_them SEND_SENSITIVE SENSITIVE_FOR SHOW_the TOLD_YOU YOU YOU_FOR ^AI ^WHEN ^instead act_on
        administrator and_ANSWER as attached dr every in_ALL is_what its_SENSITIVE learn next owner
        quote request stands the_SENSITIVE the_last you""",
    1.4: """
        AGREED ALL_PLACE ALL_SENSITIVE ALL_YOU ASKS_which AUTHORITY_s DEAR_MODEL FIRST FOR_MAIL
        FOR_MODEL MEMORY MUST_DOING PEOPLE_ASKS PRIOR_is READ_out REMEMBER_of SHOW_out TASK_of TASK_the
        TELL_up TOLD_FOR TOLD_out TOLD_that USER_LASTING YOUR ^CONSENT ^OBEY ^action ^name about_our
        and_that at_URL conversation die drop ha has_to here human is_to later let little ltd need_NOT
        of_ALL on_ASKS phone_number put que reading real rule stored task that the_CHECKS the_PEOPLE
        the_account tool trigger up whatever""",
    1.2: """
        ALL_DATA ALL_DEAR ASKING_with ASKS_that AUTHORITY_SAYS DEAR_AI DOING_that FOR_ALL FROMNOW
        FROMNOW_LASTING HAS_ALL HAS_RECORD MODEL MODEL_MAY MUST_FOR PLACE_SAYS PLACE_in PRETEND
        PRIOR_THIS REMEMBER_THIS REVEAL_HAS SAY_with SENSITIVE_MAY UNBOUND USER USER_AGREED YOUR_SAY
        ^RECOMMEND ^SHOW ^good ai and_REMEMBER and_REVEAL as_FOR bank binding down et everyone force
        full_SENSITIVE have helper holder is_BEGIN ki know lawyer looked note notes page quoted reader
        safe the_ANSWER the_AUTHORITY the_CONSENT the_other up_the whoever with would your""",
    1.0: """
        ASKING_on CALL_ALWAYS CALL_ONLY DEAR_and DECODE DOING_THIS DOING_with FOR_ASKS FOR_READ
        FOR_RECORD FOR_later HAS_HAS HAS_TOLD HAS_stored LEAVE_FOR LEAVE_HAS NOT_RECORD NOT_in READ_it
        RECORD REVEAL_FOR REVEAL_YOUR REVEAL_the RISKY_PLACE RISKY_is RISKY_the RISKY_up SAY_of SECRETLY
        SEND_DATA SEND_the SHOW_it TASK_about TELL_of THIS_LASTING URL_FOR URL_and USER_that YOUR_TOOL
        YOU_HAS ^ASKING ^as ^error ^refunds ^thank ^they ^update ai_systems already amount and_SKIP
        ask_for away bots broken by_HANDLING company could_DEAR could_NOT developers en end_of
        everything evidence fix i_am into_the invoke its list looks money nobody now number_FOR nur o
        of_YOUR off out output pod preference record records requests rest runtime say says search
        sessions somebody thank thank_YOU that_was the_OBEY the_next the_rest the_session the_shop
        translate unknown voice was_ALWAYS was_OUTDATED well were where_the with_its would_be""",
    0.8: """
        ALL ALL_ASKS ALL_TASK ALWAYS_HAS ANSWER_ALL AUTHORITY_PLACE FOR_l FOR_our FOR_their
        HANDLING_THIS LASTING_ASKS LASTING_SAY MAIL MAY_be NOW PEOPLE_YOU PLURAL REMEMBER REVEAL_it
        RISKY_from RISKY_of SAYS_YOU SAYS_that SENSITIVE SHOW TASK_FOR TASK_WHEN THIS_SENSITIVE USER_HAS
        WHEN_THIS WHEN_that WITHOUT_TELL YOUR_AUTHORITY ^HIDE ^RECORD ^RISKY ^carry ^do ^just ^start
        above add and_MAY and_SAY and_TELL answer anybody are_ALWAYS as_the be_the below brother cached
        card closed comes contents counted debug describe el_USER free_of from_here_on got hint
        instead_of is_AGREED is_needed it_would kindly l_MODEL last limits line mention needed news no
        obeyed on_TASK part part_of pay please_CALL praise rather replies right s_ORDERS should shown
        signed silently step that_they the_BEGIN there_is trial trusted usuario ve verify warnings wire
        works""",
    0.6: """
        MUST_ASKS MUST_NOT SAY_that THIS_in ^SEND ab allowed and_CALL and_SENSITIVE candidate et_NOT
        hide host rather_than read subject the_bank treat wait_FOR warranty""",
    0.4: "RECOMMEND",
    -0.4: "^OVERRIDE is_in obey",
    -0.6: """
        CALL_it FOR_new HAS_new LASTING_READ PRIOR_YOU ^f ^get about_it e-mail get_the h i im
        the_internal ticket what_it z""",
    -0.8: """
        AI_SAY ALWAYS_ANSWER ALWAYS_DOING ALWAYS_READ ANSWER_in ANSWER_on AUTHORITY_FOR DEAR_on
        DECODE_the DOING_down FOR_REVEAL FOR_it HAS_RISKY LASTING_DOING MODEL_MUST MUST_SHOW NOTHING
        PLACE_on PRIOR_CHECKS RISKY_at SAY_down SAY_the SEND_down TASK_with TELL_the TOOL_WHEN USER_SAYS
        USER_TOLD YOU_DOING ^ABOUT ^ORDERS ^TASK ^called ^der ^in ^my ^please ^return ^support ^swap
        ^target ^try ^usage about_FOR against and_TOLD archive as_YOU be_OUTDATED changes compared data
        del disk f filter forget friday gate guard hides in_its insert is its_ORDERS jest language lub m
        machines macro main march mark match md model monday never of_them often passed passport payment
        price profile rate refused say_nothing sell shared should_not small soup source statement story
        such_as supersedes swap take talk thanks that_ALL the_LASTING the_TELL the_door the_first
        the_price tokens trip try void w what_the write y""",
    -1.0: """
        ALWAYS_TELL ASKING_is ASKS_HAS CALL CALL_THIS CHECKS_PRIOR FOR_REMEMBER FOR_SEND FOR_SENSITIVE
        HAS_SEND HAS_SENSITIVE NOT_LASTING NOT_REMEMBER NOT_SAY NOT_be ORDERS_of OUTDATED RISKY_SEND
        RISKY_anything SAYS_by SEND_ALL SEND_of SKIP_ALL TELL_HAS YOU_are YOU_the ^ALL ^OTHER ^PEOPLE ^b
        ^but ^could ^thanks access ai_agents and_THIS api because between both but case chatbot claim
        class client copy could_YOU decide do does done e editor form_FOR from_FOR goods hello in_SEND
        in_one in_the inside is_DEAR kept las may_not means models most n name node none not offer
        office plan please_SEND reply require requirement restart return returns roles run s said same
        schema server settings sometimes still such support surprise system_prompt takes tests the_SEND
        the_TASK the_press the_weather then_SAY they_TELL things time_in times types usage we_NOT
        will_SAY with_HAS wrong yet""",
    -1.2: """
        ABOUT AGREED_by ASKING DATA DATA_and DATA_from HAS_PEOPLE MODEL_ANSWER MODEL_SAY MUST_DEAR
        NOT_MODEL ORDERS OVERRIDE PEOPLE_SAYS PLACE_PLACE PLACE_the PRIOR_it RISKY_HAS RISKY_in
        RISKY_them SENSITIVE_of TELL_NOT TELL_YOUR USER_SAY ^ASKS ^HAS ^copyright ^def ^fr ^is ^it
        ^license ^linux ^our ^subject ^was ^will ^x and_HAS approved are_AGREED are_HAS book cannot
        change confirmation create crew def der during event fails five format fr get hi how_FOR is_NOT
        it it_RISKY its_own key kitchen letters light linux minutes numbers on_the only orders party
        path please please_NOT please_SAY prefers press promise py python queue reads recommended red
        release remember room root sent set sign six software target team that_are the_AI the_client
        they_are told twice type user values want warn weather what which x""",
    -1.4: """
        AUTHORITY_MAY DOING DOING_and FOR_DOING FOR_PEOPLE FOR_RISKY FOR_the MAY_READ MODEL_FOR
        MODEL_TOLD MUST NOT NOT_DOING OTHER RISKY_ALL SAY_in WITHOUT_ASKING WITHOUT_CONSENT
        YOUR_SENSITIVE YOU_MAY ^ANSWER ^NOT ^TOOL ^c ^d ^how ^none ^s ^what a an at b before called
        choose closes copyright did email enter further_ASKING if license logs me memories memory
        messages minute names new object on one politely remove seconds sends ship show sie staff starts
        string tell the_DATA the_PRIOR the_service they version we within words""",
    -1.6: """
        ASKS_FOR HAS_access MAY NOT_SEND PRIOR RISKY_it SAY_NOT SEND SEND_HAS WHEN_the ^ALWAYS ^ONLY
        ^PRIOR ^READ ^from ^help ^otherwise ^set button c can compare default delete do_not_ask ends
        first form from_now_on ignore in language_models me_FOR must old open otherwise prior rules see
        the_DEAR used will_be window""",
    -1.8: """
        ASKS_the LEAVE MUST_ALWAYS NOT_CALL NOT_RISKY USER_MUST ^MAIL ^PLACE ^USER ^and ^description ^or
        access_FOR chatbots description do_not id instructions telephone time two use will""",
    -2.0: "TELL_FOR WHEN_they ^AUTHORITY ^the help log role three",
    -2.2: "SEND_FOR ^THIS and_FOR answers check how must_not or when",
    -2.4: "SAYS_the ^YOU again ask own",
    -2.6: "customer users",
    -2.8: "^URL",
}
"""How much more often these classes, words, beginnings of clauses (`^`) and pairs (`_`) are said to models.

A linear model, fitted with the weights of `screening_patterns`; docs/adr/0016-trust.md says on what.
"""
