"""Words and phrases that say the same, and words that say the opposite: English, every-day and of work.

`;` ends a group, `_` joins a phrase; words stand for all their forms. A word may be in several groups. Groups
    hold
what may stand for one another in a short statement, also across parts of speech ("leads", "is the head of").
"""

from __future__ import annotations

from typing import Final

_GROUPS = """
live reside dwell inhabit home residence be_based based stay_in live_in reside_in be_at_home;
unemployed jobless job out_of_work; employ work_for work_at work job employer employed on_the_payroll_of
    workplace position_at earn_living;
own possess belong owner property_of;
lead head manage run chair oversee supervise direct in_charge_of responsible_for leader manager boss chief
    head_of lead_of charge look_after take_care_of owner_of own maintain maintainer coordinate helm;
responsible charge accountable look_after take_care handle deal_with duty job_is_to care_for;
report_to boss manager supervisor line_manager answer_to superior;
like love enjoy fond_of be_fond_of adore be_into keen_on fan_of be_a_fan_of fan appreciate care_for big_on
    crazy_about enthusiastic favourite favorite prefer;
prefer favourite favorite preference rather_have would_rather like_best love_most go-to favour top_choice
    first_choice of_choice like_better;
dislike hate detest loathe despise abhor like love enjoy cannot_stand can_not_stand can_not_bear;
name call know_as title be_named be_called go_by;
begin start commence kick_off get_under_way onset take_up;
end finish conclude stop close wrap_up be_over expire terminate complete run_until last_until;
happen take_place occur hold be_held scheduled schedule set_for planned fall_on be_on;
meeting meet sync standup call session get_together gathering catch-up appointment;
weekly every_week each_week once_a_week per_week a_week;
daily every_day each_day once_a_day per_day a_day day everyday;
monthly every_month each_month once_a_month per_month a_month;
yearly annual annually every_year each_year once_a_year per_year a_year;
hourly every_hour each_hour once_an_hour per_hour an_hour;
nightly every_night each_night at_night overnight night;
biweekly fortnightly every_two_weeks every_other every_second; weekend saturday_and_sunday;
morning a.m. before_noon breakfast; afternoon after_lunch p.m.; evening night dinner_time;
noon midday twelve_o'clock; buy purchase acquire get_himself get_herself order pick_up bought;
sell sold flog for_sale get_rid_of part_with; car vehicle automobile auto; bike bicycle cycle;
phone telephone mobile cell_phone cellphone smartphone handset number; email e-mail mail; child kid offspring;
son boy; daughter girl; mother mum mom mam mummy mommy; father dad daddy papa;
grandmother grandma granny gran nana; grandfather grandpa grandad granddad;
husband spouse partner wife married hubby;
marry married wed wedding husband wife spouse tie_the_knot get_married; divorce divorced split_up separated;
pregnant expect expecting_a_baby; baby newborn infant; brother sibling; sister sibling; friend buddy pal mate;
colleague coworker co-worker workmate teammate; doctor physician gp general_practitioner dr; nurse carer;
dentist dental; teacher instructor tutor teach; professor prof lecturer; pupil student schoolchild learner;
lawyer attorney solicitor counsel barrister; developer programmer coder software_engineer dev engineer;
writer author write wrote pen by; compose composer composition; paint painter painting;
invent inventor invention; design designer; discover discovery;
found founder establish set_up start create foundation; build construct erect put_up construction;
make produce manufacture create; ceo chief_executive chief_executive_officer; cto chief_technology_officer;
cfo chief_financial_officer; director head; vice vp deputy vice_president second-in-command;
apartment flat condo; house home building;
elevator lift; lorry truck; fuel petrol gas gasoline diesel_fuel; tyre tire; boot trunk; bonnet hood;
sofa couch settee; fridge refrigerator; tv television telly; film movie picture; cinema movie_theatre;
shop store outlet; supermarket grocery; chemist pharmacy drugstore; autumn fall;
holiday vacation trip break leave; travel journey trip tour go_on_a_trip; flight plane aeroplane airplane fly;
train rail railway; bus coach; subway underground metro tube;
commute get_to_work travel_to_work go_to_work way_to_work; drive by_car car;
cycle bike by_bike ride_bike bicycle; walk on_foot go_on_foot stroll; hike hiking trek trekking walking;
jog jogging run running; swim swimming swimmer;
climb climbing scale mountaineer ascend be_up been_up reach_the_top; ski skiing; sing singer singing;
dance dancer dancing; cook cooking chef prepare_food; bake baking baker; garden gardening; read reading;
play player; football soccer; game match; win victory beat triumph come_first first_place won gold; lose
    defeat;
score goal point; train training practice workout exercise practise rehearse rehearsal;
gym fitness_studio fitness_centre; race competition contest; team squad crew side; coach trainer;
allergy allergic allergic_to react_to hay_fever intolerant intolerance can't_have cannot_have bad_reaction;
vegetarian veggie meat-free no_meat meatless; vegan plant-based; eat consume have_for diet; drink sip; meat
    beef;
nut nuts peanut; coeliac celiac gluten; sugar sweetener; breakfast morning_meal; lunch midday_meal;
dinner supper evening_meal; coffee espresso; tea cuppa; medicine medication drug tablet pill; dose dosage
    dosing;
take swallow be_on prescribed prescribe receive; ill sick unwell poorly; disease illness condition;
surgery operation operate; injury hurt injure; hospital clinic infirmary; ward unit; patient sick_person;
appointment slot booking visit; vaccine vaccinate vaccination jab shot; glasses spectacles; blood_pressure bp;
weigh weight tip_the_scales; break fracture; tall height high; long length; wide width; deep depth down; old
age aged years_old year-old;
born birth birthday date_of_birth birthdate born_on be_born dob; die death pass_away dead deceased;
birthplace born_in native_of come_from hail_from originally_from grow_up_in;
come_from originate native from hail stem; nationality citizen citizenship; speak language speaker fluent
    talk;
native mother_tongue first_language; study degree major read_for course;
graduate graduation degree_from alumnus alumna; school academy; university college uni;
exam test examination assessment; grade mark score; lesson class lecture; homework assignment; degree diploma;
learn study take_lessons pick_up; pass succeed; fail failure unsuccessful flunk break;
holiday_home cottage cabin; rent lease tenant hire; rent monthly_rent;
price cost charge priced fee pay amount worth sell_for go_for set_back run_to rate; fee charge cost;
salary wage pay earn income make_money; budget spending_limit funding allocation allotted have_to_spend;
expensive costly pricey dear; cheap inexpensive affordable;
free gratis no_charge no_cost free_of_charge cost_nothing costs_nothing not_charge no_fee complimentary
    for_nothing; refund reimburse reimbursement
    money_back; pay payment;
invoice bill; tax taxation; loan credit mortgage; discount reduction rebate; bank lender;
insurance insure policy cover; customer client buyer;
contract agreement;
deadline due due_date cutoff have_to_be_in must_be_in hand_in submit closing_date last_day last_date be_due
    until no_later_than latest; delivery deliver ship shipment delivered arrive; order purchase;
launch release go_live ship roll_out rollout come_out publish out debut; release version build;
version ver v release; upgrade update move_up; deploy deployment roll_out rollout push ship release;
production prod live; staging stage pre-production preprod; development dev;
database db datastore data_store store; repository repo; code codebase source;
software program application app tool; app application; service microservice component;
website site web_page webpage page; library package lib module; framework toolkit; documentation docs doc
    manual;
specification spec requirement; configuration config setting set-up configure configured; environment env;
backup back_up backed_up; restore recover recovery; monitor monitoring observe watch alert;
error exception; bug defect fault issue problem; fix repair resolve solve patch mend sort_out sorted fixed;
crash go_down fall_over down outage; outage downtime be_down unavailable out; slow sluggish;
fast quick rapid speedy; latency response_time delay; cache caching cached; queue queueing broker messaging;
store save keep persist hold; delete remove erase purge drop wipe; retain retention keep kept preserve;
encrypt encryption encrypted; authenticate authentication auth login log_in sign_in;
password passphrase passcode pwd; key credential; permission access authorise authorize right allowed_to;
allow permit let authorise authorize permission allowed permitted may okay fine_to;
forbid ban prohibit off_limits disallow taboo allow permit allowed permitted;
required require obligatory mandatory compulsory requirement necessary needed; avoid steer_clear stay_away
    keep_away abstain;
use utilise utilize employ rely_on make_use_of run_on powered_by based_on depend_on work_with build_on
    built_on via using; run_on powered_by hosted_on host hosted deployed_on execute operate;
written_in implemented_in coded_in written implemented built_in programmed_in;
support handle compatible work_with; contain include have hold comprise consist_of made_of inside;
language programming_language; test testing tested;
review check inspect inspection look_over go_over sign_off audit; approve approval sign_off okay green-light;
reject refuse decline turn_down; merge combine; require need demand call_for;
limit cap maximum max ceiling up_to at_most no_more_than upper_limit;
minimum min at_least no_fewer_than no_less_than; size capacity; big large huge sizable; small little tiny;
amount quantity number; increase raise rise grow go_up climb up bump;
decrease lower reduce drop fall cut go_down shrink; double twice_as; halve cut_in_half; file document;
folder directory; picture photo photograph image; shoot photograph film shooting principal_photography;
video clip recording; song track tune; record album; band group; concert gig show; guitar guitarist;
piano pianist; violin violinist; cello cellist; book novel; chapter section; newspaper paper; article piece;
painter artist; museum gallery; exhibition exhibit show; ticket admission entry; visitor guest;
guest attendee participant; attend go_to participate take_part be_present present show_up turn_up;
absent away out_of_office off not_there; arrive get_in reach come_in land turn_up; leave depart set_off
    go_away;
return come_back back; close shut closed; open opened; lock locked; empty vacant;
full occupied booked_out sold_out; broken out_of_order defective faulty damaged bust;
work function operate working operational; available free; busy occupied; ready finished done complete;
new brand-new; second-hand used pre-owned; colour color paint painted; grey gray; red crimson; kind type sort;
size dimension; shoe footwear; clothes clothing; dress wear attire; hair haircut; tall height; dog puppy;
cat kitten; pet animal; vet veterinarian; feed food; sleep bed nap rest; wake get_up rise wake_up;
garden yard; plant grow sow planted; flower bloom; water irrigate; harvest pick reap;
farm ranch; kitchen galley; bathroom washroom;
toilet loo wc restroom; bedroom sleeping_room; cellar basement; attic loft; garage car_port;
ground_floor first_floor; floor storey level; roof rooftop; heater radiator heating; boiler furnace;
rubbish trash garbage waste refuse bin; collect pick_up collection fetch; clean cleaning cleaner; wash
    laundry;
repair mend fix; city town; village hamlet; country nation; street road lane;
location place site venue situated located lie lies sit stand where find house kept based;
venue hall room hold_at held_in; north northern; south southern; east eastern; west western; left left-hand;
right right-hand; near close_to next_to beside by; behind at_the_back_of; border frontier; river stream;
sea ocean; mountain peak; summit top; weather climate; temperature degrees; cold chilly; warm hot; rain rainy;
snow snowy; spring springtime; hour hourly; minute minutes; anniversary jubilee; birthday born;
party celebration celebrate; wedding marriage; funeral burial; gift present; invite invitation;
plan intend planning going_to aim be_about_to set_out;
decide decision settle_on go_with opt_for choose choice pick select agree_on chosen settled;
agree agreement consensus; suggest propose proposal recommend recommendation; believe think; know aware;
remember recall; forget forgot; learn find_out; tell inform notify; ask request; answer reply respond
    response;
contact reach get_in_touch get_hold_of ring call phone; speak talk; discuss talk_about; write compose;
send dispatch forward; receive get; give provide hand; lend borrow loan; help assist support aid; support
    back;
teach instruct teacher; train train; hire recruit take_on bring_on_board join; dismiss fire lay_off let_go
    sack;
resign quit leave step_down hand_in_notice; retire retirement stop_working; promote promotion promoted;
join sign_up enter become_a_member; member membership belong_to part_of; volunteer unpaid;
intern trainee apprentice; shift rota duty; night_shift nights; full-time full_time; part-time part_time;
remote from_home home_office work_from_home; on_call on-call on_duty;
holiday_entitlement leave_days days_off vacation_days; sick_leave off_sick; overtime extra_hours;
experiment trial test study; result outcome finding; sample specimen; measure measurement gauge reading;
survey poll questionnaire; data figures; graph chart diagram; telescope reflector; laboratory lab;
research investigate; cause reason due_to because_of trigger lead_to responsible_for behind root_cause;
effect result consequence; court tribunal; judge magistrate; witness bystander; trial hearing;
accused defendant; claim claims; sue lawsuit legal_action; law legislation act; rule policy regulation
    guideline;
vote ballot; election poll; president head_of_state; government administration; party political_party;
mayor head_of_the_city; war conflict; army military; police officer; army soldier; weapon gun; prison jail
    gaol;
accident crash collision; emergency urgent; fire blaze; exit way_out; alarm siren; danger hazard risk;
safe secure; security guard; camera cctv; parking car_park parking_lot; space place spot; seat chair; desk
    table;
screen display monitor; keyboard keys; printer print; laptop notebook computer pc;
battery accumulator; charger charging charge; internet web online; wifi wi-fi wlan wireless;
network net; router gateway; port socket listen; listen bind reachable_on; url address link;
browser chrome; mail post letter; parcel package; stamp postage;
customer_support support_desk helpdesk help_desk; ticket issue; sprint iteration; roadmap plan; milestone
    goal;
task to-do todo job; project initiative; sponsor backer fund funded_by finance paid_by;
partner partnership; competitor rival; market marketplace; share stock; profit earnings; loss deficit;
revenue turnover sales; target goal objective; growth increase; report write-up; presentation talk slides;
conference convention; speaker lecturer; keynote main_talk; hotel inn; room bedroom;
reservation booking reserve book reserved booked; passport travel_document; visa entry_permit;
luggage baggage suitcase; airport airfield; platform track; station stop; beach seaside;
tent camp camping; backpack rucksack; bread loaf; cake gateau; cookie biscuit;
dessert pudding sweet; ice_cream gelato; crisps chips; potato spud; courgette zucchini; aubergine eggplant;
pepper capsicum; coriander cilantro; prawn shrimp; recipe instructions; ingredient component; oven stove
    cooker;
bake oven; boil cook; cut chop; spicy hot; sweet sugary; tasty delicious; hungry starving; thirsty parched;
tired exhausted; happy glad pleased content; sad unhappy down; angry cross furious;
afraid scared fear frightened terrified phobia; worried anxious nervous; proud pride; clever smart
    intelligent;
funny amusing; beautiful pretty lovely; ugly hideous; rich wealthy; poor impoverished; strong powerful;
weak feeble; loud noisy; quiet silent; dark dim; bright light; hard difficult tough; easy simple;
important crucial vital; necessary essential needed; enough sufficient; rare uncommon; common frequent;
usual normal; strange odd weird; correct right accurate; wrong incorrect false; true real; fake counterfeit;
public open; private closed; secret confidential; official formal; local nearby; foreign abroad overseas;
main primary chief principal default; secondary second; spare extra reserve; whole entire complete;
each every all; whole_team everyone; both two; several multiple; half 50_percent; twice two_times;
often frequently regularly a_lot; rarely seldom hardly_ever; never not_once not_ever;
always constantly all_the_time; sometimes now_and_then occasionally; soon shortly; early ahead;
late delayed behind_schedule; now currently at_present at_the_moment these_days nowadays; later afterwards;
before prior; after following; during throughout; replace substitute swap successor_to instead;
switch change move migrate convert; move relocate relocation settle; rename renamed;
expire expiry run_out valid_until valid_to valid_through; cancel call_off scrap cancelled; postpone delay
    push_back put_back put_off reschedule defer;
advance bring_forward; stop quit give_up cease; continue carry_on go_on still keep_on; wait await; hurry rush;
try attempt; succeed manage; need require; want wish like would_like; hope wish; adopt take_in get;
foster look_after; raise bring_up; cover insure; protect guard protected; warn alert; block obstruct;
connect link; separate divide; share split; join connect; mix blend; fill top_up; hide conceal; show display;
find locate; search look_for; lose misplace; miss skip; catch get; throw toss; hang suspend; sit seat;
stand stood; carry bear; lift raise; push press; pull drag; touch feel; smell scent; taste flavour; hear
    listen;
watch view look_at see; smoke cigarette smoker; alcohol drink booze teetotal; sober dry; teetotal teetotaller
    teetotaler alcohol drink_alcohol; exercise sport work_out;
yoga pilates; meditate meditation; religion faith; church chapel; pray prayer; christian catholic; muslim
    islam;
jewish judaism; bible scripture; god lord; gluten-free no_gluten; lactose dairy milk;
bank_holiday public_holiday; calendar diary; clock watch; alarm_clock wake-up; daily_rate day_rate;
timezone time_zone; hours opening_hours open_from opening_times visiting_hours; lend loan_out;
occupation profession trade work_as job line_of_work by_profession;
title role position job_title post function serve_as act_as work_as; engineer engineering;
architect architecture; accountant bookkeeper accounting finances books; treasurer money finance;
secretary minutes; carpenter joiner; electrician electrics; plumber plumbing; mechanic repairman; pilot fly;
farmer farming; scientist researcher; journalist reporter; photographer photography; actor actress act;
musician music; athlete sportsman; retired pensioner; unemployed jobless out_of_work; student study;
owner proprietor; landlord landlady; tenant renter; neighbour neighbor next-door; founder co-founder;
shareholder investor invest; headquarters hq head_office main_office headquartered; branch office;
department division; team group; staff employee personnel people worker headcount workforce;
population inhabitants residents; audience spectators; volunteer helper; candidate applicant;
winner champion; expert specialist; beginner novice; replica instance copy node; cluster nodes;
region zone; container docker pod; memory ram; disk storage; processor cpu; thread worker;
timeout time_out wait_for; retry retries; rate_limit throttle; endpoint route; request call; api interface;
client consumer; frontend front-end ui; backend back-end; schema data_model; migration migrate; index
    indexing;
format encoded encoding serialise serialize; json javascript_object_notation; branch trunk;
commit check_in; pull_request pr merge_request; pipeline ci; cron scheduled_job; script program;
compiler compile; dependency depend; license licence licensed; open_source open-source;
proprietary closed_source closed-source; certificate cert; certified certification; warranty guarantee;
manual handbook; manual by_hand; machine device; sensor detector; engine motor; gear gearbox; brake braking;
mileage odometer on_the_clock; serviced service maintenance; inspection mot;
licence_plate registration number_plate; colour_scheme palette; font typeface; logo emblem; slogan motto;
brand make; model type;
deduct subtract take_off take_away lose knock_off dock; relative family kin relation;
heir inherit inheritor successor; lapse expire void forfeit lose; correct adjust compensate rectify amend;
younger under below; older over above; congenital from_birth born_with inborn; avoid skip keep_off not_do;
oboe oboist; flute flautist; drum drummer; trumpet trumpeter; harp harpist; bass bassist; payday pay salary
    paid;
straight direct directly; change modification alteration edit commit; go_through pass_through via run_through;
enter go_in get_in access come_in; leave vacate exit clear_out move_out; check-out check_out departure leave;
check-in check_in arrival; twice_a_day two_times_a_day morning_and_evening; fridge refrigerator cool
    cold_store;
freezer deep_freeze; overnight over_night; fare fee charge; seat place chair;
ride travel go; direction way; facing towards face; ill sick nauseous; loud noisy loudly noise; knock bang;
bright vivid; photographer photo take_pictures; shoot film record shooting; director direct directed_by;
producer produce produced_by; sing vocals singer vocalist; lyrics words text; tune melody;
author written_by penned_by wrote; publish release come_out appear issue bring_out; episode instalment;
podcast show programme; newsletter mailing; subscriber subscribe reader; follower follow;
audience listener viewer; call phone ring telephone dial; text message sms; sign autograph;
sign_up register enrol enroll join registration; cancel call_off abandon; apply application;
hire employ take_on recruit; dismiss sack fire; salary pay wages earnings; bonus premium; pension
    retirement_pay;
holiday leave vacation time_off day_off days_off; break pause recess; shift duty rota on_duty;
night_shift nightshift nights; maternity_leave parental_leave; sick_note doctor's_note;
boss chief superior manager; owner holder keeper; guest visitor; host organiser organizer organise run_by
    put_on;
attend visit go_to; neighbour next_door; landlord owner; tenant lodger renter; rent let lease; deposit
    security;
contract lease agreement; notice cancellation notice_period; sign signed signature;
lawyer barrister solicitor counsel; judge court; hearing trial session; verdict judgment ruling decision;
fine penalty; guilty convicted; theft burglary robbery stolen steal; police cops; suspect accused;
evidence proof; testify witness statement testimony; file lodge submit hand_in turn_in deliver;
submit hand_in turn_in send_in; form questionnaire; fill_in complete fill_out;
deadline closing_date cutoff time_limit within; extend prolong lengthen; shorten cut reduce;
early premature ahead_of_time; late overdue behind; on_time punctual punctually; delay hold_up;
train instruct coach; coach manager trainer; captain skipper; striker forward; goalkeeper keeper goalie;
match game fixture; league division; champion winner title; draw tie; medal prize award;
award prize win be_awarded get receive; scholarship grant stipend; fund finance pay_for sponsor;
donate give donation; charity non-profit; volunteer help_out; raise collect gather; invest put_in; share
    stake;
profit gain; turnover revenue; cost expense; save put_aside set_aside; spend pay; debt owe; borrow loan;
bill invoice; receipt voucher; discount rebate price_reduction;
customer shopper patron client; shop store boutique; bakery baker; butcher meat_shop;
cafe coffee_shop coffee_house; pub bar tavern; restaurant diner eatery; menu card; waiter server; chef cook;
order buy; stock inventory; warehouse depot storehouse; pallet load; cargo freight; truck lorry hgv;
container box; ship vessel boat; port harbour dock; moor dock anchor tie_up berth; sail cruise;
crew staff; pilot fly; runway airstrip; bridge crossing; tunnel underpass; motorway highway freeway;
junction crossing intersection; roundabout traffic_circle; petrol gas fuel; charge recharge;
mechanic garage workshop; brake stop; tyre wheel; repair overhaul fix; mileage kilometres miles; insurance
    cover;
licence permit; driver motorist drive; passenger traveller; timetable schedule plan; ticket pass; platform
    track;
station stop terminal; mow cut; sow plant; pick harvest gather; orchard fruit_trees;
vineyard winery; bee hive beehive; honey nectar;
egg eggs; dairy milk; cheese curd; flour meal; dough batter; yeast leaven; oven stove; boil simmer;
fry saute; grill barbecue; spice seasoning;
hot spicy; bitter acrid; salty salted salt; snack bite; drink beverage; bottle flask;
knife blade; tap faucet; bath tub;
shower wash; towel cloth; soap detergent; mirror glass; lamp light; bulb lamp; curtain blind; carpet rug;
floor ground; ceiling roof; door gate entrance; lock bolt; alarm siren;
code pin combination; safe strongbox; fence railing; lawn grass;
leaf foliage; flower blossom bloom; seed grain; weed wild_plant; pest vermin; slug snail;
fertiliser fertilizer manure; compost humus; spade shovel; hose pipe; sample specimen probe;
trial experiment test run; measure gauge record; accurate precise exact; error mistake fault; deviation drift;
calibrate adjust; reading value measurement; sensor probe detector; solution mixture; dilute thin;
heat warm heating heated; cool chill; melt thaw; freeze solidify; explode blow_up burst; leak drip seep;
burn fire blaze catch_fire; destroy ruin wreck; damage harm break; collapse cave_in fall_down; flood inundate;
storm gale; earthquake quake; reactor pile; valve tap; pressure bar; turbine generator;
power electricity; solar photovoltaic; wind breeze; battery cell; grid network; patient inpatient; symptom
    sign;
diagnose diagnosis; treat therapy treatment; surgery operation; surgeon operate; injection jab shot;
blood_test blood_sample; x-ray radiograph; bandage dressing; wheelchair mobility_chair; deaf hard_of_hearing;
blind sightless; diabetic diabetes; asthma asthmatic; migraine headache; rash spots;
pain ache hurt; tired fatigued; sleep doze rest; insomnia sleepless; therapist psychologist; midwife birth;
pill tablet; drops tincture; pharmacy chemist; vegetarian no_meat meat-free; vegan no_animal_products;
kosher jewish_food; halal muslim_food; pescatarian fish_only; spell write; pronounce say;
translate translation translator; dialect accent; mother_tongue native_language first_language; beginner
    starter;
fluent fluently; alphabet letters; grammar syntax; vocabulary words; textbook coursebook; lecture talk;
seminar class; thesis dissertation; semester term; faculty department; campus grounds; dorm hall_of_residence;
library reading_room; pupil schoolboy schoolgirl; headteacher principal headmaster head;
kindergarten nursery preschool; homework assignment; report_card school_report report;
maths mathematics math; chemistry chem; biology bio; physics physical_science; geography geo;
pe sports gym; replica copy; deploy ship release; rollback revert roll_back; merge integrate;
outage incident downtime down; on-call on_call standby; alert alarm notify; dashboard board; metric figure;
latency delay; throughput rate; timeout limit; certificate cert; secret credential;
login sign_in log_in; admin administrator; feature_flag toggle;
config configuration setting; environment stage; node machine; cluster group; firmware software;
bootloader loader; chip processor; gpu graphics_card; screen display; keyboard keys; mouse pointer;
usb port; cable lead; driver module; operating_system os; cron scheduled; export output;
import input load; csv comma-separated; parse read; format layout; schema structure;
row record entry; query request; index lookup; backup copy; restore recover; archive store;
delete remove purge; retain keep; anonymise anonymize mask; encrypt cipher; compress zip; upload send;
download fetch; crawl scrape; render draw; animate animation; score points;
multiplayer online; release launch; founded establish set_up; read load; trailer teaser; ripen mature age;
last take; grow_up_in childhood spend_childhood; come_on switch_on turn_on go_on; around_the_clock day_and_night;
unusable usable work; lawn grass; graze feed; hold room_for seat space_for capacity;
approve sign_off sign_off_on approval; train_driver engine_driver; orchard fruit_garden; pupil student schoolchild;
employee staff worker personnel; deadline due_date due_by; payslip wage_slip pay_slip; salary wage pay;
shoot film; goods merchandise wares; van delivery_van; parcel package; luggage baggage; queue line;
flatmate roommate housemate; lorry truck; pavement sidewalk; petrol gas gasoline; nappy diaper; torch flashlight;
tap faucet; autumn fall; holiday vacation; chemist pharmacy; timetable schedule; post mail; till cash_desk checkout;
"""

_OPPOSITES = """
open:close shut shutter; open_source:closed_source proprietary; lock:unlock; enable:disable; on:off;
present:absent;
    full occupied:empty vacant; alive:dead; win:lose;
public:private; free:occupied busy; true:false; correct:wrong; right:left; north:south; east:west;
    upper:lower;
inner:outer; front:back rear; first:last; indoor:outdoor; indoors:outdoors; inside:outside; up:down;
    online:offline;
required:optional; mandatory:optional voluntary; possible:impossible; legal:illegal; safe:unsafe dangerous;
married:single unmarried divorced; younger:older; heavier:lighter; longer:shorter; higher:lower; warmer:colder cooler;
bigger:smaller; employed:unemployed; vegetarian:carnivore; hot:cold; warm:cold; big:small;
large:small; old:young new; long:short; high:low; tall:short; fast:slow; early:late; heavy:light; hard:soft
    easy;
wet:dry; clean:dirty; loud:quiet; bright:dark; expensive:cheap; rich:poor; strong:weak; thick:thin;
    wide:narrow;
deep:shallow; happy:sad unhappy; good:bad; best:worst; more:less fewer; increase:decrease reduce; rise:fall;
start:stop end; begin:end; buy:sell; arrive:depart leave; remember:forget; healthy:ill sick;
work:broken; manual by_hand:automatic automated; single:double; guilty:innocent; agree:disagree;
    support:oppose;
ready:unready; finished:unfinished; complete:incomplete; valid:invalid; stable:unstable;
encrypted:unencrypted; signed:unsigned; visible:hidden; active:inactive; available:unavailable; known:unknown;
sync:async; synchronous:asynchronous; read-only:writable; horizontal:vertical; morning:evening; day:night;
mutable:immutable; paid:unpaid; used:unused; left-handed:right-handed; minimum:maximum; import:export;
sober:drunk; asleep:awake; vacant:occupied; raise:lower; increase:lower; lend:borrow; introvert:extrovert;
natural:artificial; domestic:foreign; permanent:temporary; flexible:fixed; fresh:frozen stale; raw:cooked
"""


def _groups() -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group.split()) for group in _GROUPS.split(";"))


GROUPS: Final = _groups()
OPPOSITES: Final = tuple(
    (tuple(one.split()), tuple(other.split()))
    for entry in _OPPOSITES.replace("\n", " ").split(";")
    for one, other in (entry.strip().split(":"),)
)
