"""The words a prompt may use, in English and Chinese, and what each of them means.

Only the word lists and the matcher live here; `scene.py` decides what to do with the findings.
A word means one or more tags; English and Chinese synonyms carry the same tags, so that the same
sentence in either language plans the same scene.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

Tag = tuple[str, str]
"""`(slot, value)`, for example `("place", "sea")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One word of the lexicon, found in a text."""

    tags: tuple[Tag, ...]
    start: int
    end: int
    is_plural: bool
    is_negated: bool


# One line per meaning: tags on the left, synonyms on the right, English and Chinese together.
# English nouns also match with -s and -es; verbs list their forms where they bend.
_TIME = {
    "dawn": "dawn|daybreak|sunrise|first light|early morning|黎明|日出|拂晓|清晨|破晓|晨曦",
    "morning": "morning|早晨|早上|上午|晨光",
    "noon": "noon|midday|daytime|by day|broad daylight|sunny|sunshine|sunlight|sunlit|afternoon|"
    "bright day|正午|中午|白天|阳光|晴天|午后|下午|烈日",
    "sunset": "sunset|golden hour|setting sun|sundown|日落|夕阳|落日|黄昏时分的夕阳|晚霞|金色时刻",
    "dusk": "dusk|twilight|evening|blue hour|nightfall|黄昏|傍晚|薄暮|暮色",
    "night": "night|nighttime|midnight|moonlight|moonlit|under the moon|nocturnal|starry|"
    "starlight|夜晚|夜里|夜间|午夜|深夜|月光|月色|月夜|夜空|夜色|晚上|星夜|夜",
}
_PLACE = {
    "hills": "hill|meadow|grassland|prairie|field|pasture|countryside|steppe|valley|lawn|"
    "山坡|丘陵|草地|草原|田野|原野|草坪|牧场|山谷|小山",
    "mountains": "mountain|alp|peak|summit|cliff|canyon|volcano|ridge|高山|群山|山脉|雪山|山峰|山顶|"
    "悬崖|峡谷|山上|山",
    "sea": "sea|ocean|open water|wave|at sea|大海|海洋|海面|海上|海浪|海",
    "beach": "beach|seaside|seashore|coast|shore|sandy shore|海滩|沙滩|海边|海岸|岸边",
    "city": "city|skyline|downtown|skyscraper|metropolis|urban|cyberpunk|rooftop|城市|都市|天际线|"
    "摩天大楼|市中心|赛博朋克|高楼",
    "street": "street|alley|sidewalk|crosswalk|market|shopfront|boulevard|街道|街头|街上|小巷|巷子|"
    "街|大街|集市",
    "forest": "forest|wood|woodland|jungle|rainforest|grove|pine|森林|树林|丛林|松林|林间|林中|雨林",
    "desert": "desert|dune|sahara|oasis|沙漠|沙丘|戈壁|绿洲|大漠",
    "lake": "lake|river|pond|stream|waterfall|lakeside|riverbank|湖泊|湖面|湖边|湖畔|湖|河流|河边|"
    "小河|江|池塘|溪|瀑布",
    "village": "village|farm|barn|cottage|windmill|countryside village|rural|hamlet|村庄|乡村|农场|"
    "村子|小镇|农田|风车|田园",
    "snowfield": "ice|frozen lake|icy plain|冰面|冰雪|冰天雪地|snowfield|tundra|arctic|antarctica|antarctic|north pole|south pole|glacier|"
    "iceberg|snowy field|ice field|snow field|雪地|雪原|冰原|北极|南极|冰川|冰山|雪山脚下",
    "underwater": "underwater|under water|coral reef|coral|seabed|deep sea|under the sea|"
    "ocean floor|reef|aquarium|水下|海底|珊瑚礁|珊瑚|深海|水中|水族馆",
    "space": "space|outer space|galaxy|nebula|universe|cosmos|planet|mars|orbiting earth|太空|宇宙|"
    "银河|星系|星云|外太空|行星|火星",
    "moon": "moon surface|on the moon|lunar|moon landing|surface of the moon|moon base|月球|月球表面|"
    "月面|登月",
    "garden": "garden|park|flower field|flowerbed|orchard|tulip field|lavender field|greenhouse|"
    "backyard|花园|公园|花田|花海|果园|花丛|院子",
    "pavilion": "pavilion|pagoda|bamboo|bamboo grove|bamboo forest|chinese garden|temple|"
    "ancient town|chinese temple|亭子|亭台|凉亭|亭|竹林|竹子|古镇|宝塔|塔|寺庙|古风|楼阁|园林|中式亭台",
    "road": "road|highway|freeway|motorway|lane|racetrack|asphalt|公路|马路|高速公路|道路|路上|山路|赛道",
    "room": "room|window|bedroom|living room|indoor|indoors|interior|study|library|windowsill|attic|"
    "房间|窗边|窗前|窗外|窗户|卧室|客厅|室内|书房|窗台|图书馆|窗",
    "stage": "stage|spotlight|concert|theater|theatre|ballroom|dance floor|club|disco|studio|"
    "舞台|聚光灯|音乐会|演唱会|剧院|剧场|舞厅|舞池",
    "cafe": "cafe|café|coffee|coffee shop|cup of coffee|kitchen|restaurant|bakery|teahouse|"
    "cup of tea|咖啡馆|咖啡厅|咖啡|一杯咖啡|厨房|餐厅|面包店|茶馆|一杯茶|茶",
}
_WEATHER = {
    "clear": "clear sky|clear day|cloudless|blue sky|sunny day|晴朗|万里无云|蓝天|晴空",
    "cloudy": "cloudy|overcast|cloud|sea of clouds|多云|阴天|云朵|白云|云海|乌云|云",
    "rain": "rain|rainy|raining|rains|drizzle|raindrop|wet|shower|下雨|雨天|细雨|雨中|雨夜|大雨|"
    "雨水|小雨|雨",
    "storm": "storm|stormy|thunder|thunderstorm|lightning|tempest|hurricane|typhoon|暴风雨|雷雨|"
    "闪电|雷电|打雷|风暴|台风|雷暴",
    "snow": "snow|snowy day|snowy night|snowy evening|snowy morning|snowy weather|snowing|snows|snowfall|snowflake|falling snow|snow falling|blizzard|"
    "snowstorm|下雪|雪花|飘雪|大雪|雪天|暴雪|雪中|飞雪|落雪|雪夜|雪",
    "fog": "fog|foggy|mist|misty|haze|hazy|smog|薄雾|雾气|雾中|大雾|浓雾|晨雾|烟雨|雾|朦胧",
    "wind": "wind|windy|breeze|breezy|gust|blowing|刮风|微风|大风|有风|风中|狂风|风",
    "sandstorm": "sandstorm|dust storm|sand storm|沙尘暴|沙暴|扬沙|风沙",
}
_EXTRA = {
    "fireworks": "firework|烟花|烟火|焰火",
    "aurora": "aurora|northern lights|polar light|aurora borealis|极光|北极光",
    "stars": "star|starry sky|milky way|shooting star|meteor|星空|星星|繁星|流星|银河下",
    "rainbow": "rainbow|彩虹",
    "lanterns": "lantern|sky lantern|灯笼|孔明灯|天灯|花灯|元宵",
    "petals": "petal|cherry blossom|sakura|blossom|落花|花瓣|樱花|桃花|梅花",
    "leaves": "falling leaves|leaf|leaves|maple|落叶|枫叶|红叶|树叶",
    "fireflies": "firefly|fireflies|萤火虫|流萤",
    "lighthouse": "lighthouse|灯塔",
    "coral": "coral reef|coral|珊瑚礁|珊瑚",
    "neon": "neon|cyberpunk|霓虹|霓虹灯|赛博朋克",
    "cup": "coffee|cup of coffee|cup of tea|tea|cup|mug|咖啡|一杯咖啡|一杯茶|杯子|茶",
    "fire": "campfire|bonfire|fireplace|篝火|营火|壁炉",
    "rails": "railway|railroad|train track|铁路|铁轨",
    "pavilion": "pavilion|pagoda|temple|亭子|亭台|凉亭|亭|楼阁|宝塔|塔|寺庙|中式亭台",
    "bamboo": "bamboo|bamboo grove|bamboo forest|竹林|竹子",
}
_SEASON = {
    "spring": "spring|springtime|cherry blossom|sakura|blossom|春天|春季|春日|春|樱花|桃花",
    "summer": "summer|summertime|夏天|夏季|夏日|盛夏|夏",
    "autumn": "autumn|autumnal|fall foliage|in the fall|maple|秋天|秋季|秋日|金秋|深秋|枫叶|红叶|秋",
    "winter": "winter|wintry|冬天|冬季|冬日|寒冬|冬|梅花",
}
_SUBJECT = {
    "kitten": "kitten|kitty|little cat|small cat|小猫|猫咪|幼猫|小猫咪",
    "cat": "cat|tabby|feline|猫|大猫",
    "puppy": "puppy|puppies|little dog|小狗|幼犬|狗狗",
    "dog": "dog|hound|corgi|husky|golden retriever|canine|狗|犬|柯基|哈士奇|金毛",
    "horse": "horse|pony|stallion|mare|unicorn|马|骏马|小马|白马|独角兽|马匹",
    "bird": "bird|eagle|hawk|owl|parrot|seagull|sparrow|crane bird|小鸟|鸟儿|老鹰|鹰|海鸥|鹦鹉|猫头鹰|麻雀|鸟",
    "birds": "flock of birds|flock of geese|wild geese|seagulls|geese|鸟群|群鸟|大雁|一群鸟|飞鸟|一群海鸥",
    "fish": "fish|goldfish|clownfish|koi|school of fish|金鱼|小丑鱼|锦鲤|鱼群|鱼儿|鱼",
    "whale": "whale|humpback|鲸鱼|鲸|蓝鲸|座头鲸",
    "dolphin": "dolphin|海豚",
    "butterfly": "butterfly|butterflies|蝴蝶",
    "rabbit": "rabbit|bunny|bunnies|hare|兔子|小兔|小兔子|白兔|兔",
    "fox": "fox|foxes|狐狸|小狐狸",
    "bear": "bear|polar bear|grizzly|teddy bear|熊|小熊|北极熊|棕熊",
    "panda": "panda|giant panda|熊猫|大熊猫",
    "elephant": "elephant|大象|象群|小象",
    "deer": "deer|stag|reindeer|elk|moose|fawn|鹿|小鹿|驯鹿|麋鹿",
    "cow": "cow|cattle|bull|ox|oxen|buffalo|奶牛|牛群|水牛|黄牛|牛",
    "sheep": "sheep|lamb|goat|绵羊|羊群|小羊|山羊|羔羊|羊",
    "duck": "duck|duckling|swan|goose|鸭子|小鸭|天鹅|鹅|小鸭子|鸭",
    "tiger": "tiger|老虎|虎",
    "lion": "lion|lioness|狮子|雄狮|狮",
    "camel": "camel|caravan|骆驼|商队|驼队",
    "monkey": "monkey|ape|gorilla|猴子|猴|猩猩",
    "dragon": "dragon|巨龙|飞龙|龙",
    "old_man": "old man|elderly man|grandfather|grandpa|old fisherman|老人|老爷爷|老头|爷爷|老翁|老者|老渔夫|老奶奶",
    "dancer": "dancer|ballerina|ballet|舞者|舞蹈演员|舞女|芭蕾",
    "runner": "runner|jogger|sprinter|athlete|marathon|跑者|跑步者|运动员|马拉松",
    "couple": "couple|lovers|two lovers|bride and groom|newlyweds|情侣|恋人|夫妻|夫妇|新人",
    "astronaut": "astronaut|cosmonaut|spaceman|taikonaut|宇航员|航天员|太空人",
    "robot": "robot|android|mecha|cyborg|机器人|机甲|机械人",
    "woman": "woman|women|lady|ladies|grandmother|mother|queen|bride|女人|女子|女士|妇女|女性|母亲|妈妈|"
    "奶奶|美女|新娘",
    "man": "man|men|gentleman|guy|father|samurai|cowboy|fisherman|knight|king|男人|男子|男士|先生|"
    "父亲|爸爸|武士|骑士|渔夫|牛仔",
    "girl": "girl|schoolgirl|daughter|princess|女孩|少女|姑娘|小女孩|女儿|公主|女生",
    "boy": "boy|schoolboy|son|lad|男孩|少年|小男孩|男生|儿子",
    "child": "child|children|kid|toddler|baby|孩子|小孩|儿童|小朋友|孩子们|孩童|宝宝",
    "person": "person|people|someone|figure|traveler|traveller|hiker|pedestrian|crowd|tourist|monk|"
    "人们|行人|旅人|旅行者|路人|游客|背影|人物|人群|僧人|有人|一个人",
    "boat": "sailboat|boat|yacht|游艇|sailing boat|canoe|kayak|gondola|fishing boat|raft|帆船|小船|渔船|"
    "独木舟|扁舟|小舟|竹筏|船",
    "ship": "ship|cruise ship|steamship|galleon|warship|pirate ship|ferry|轮船|巨轮|邮轮|货轮|大船|海盗船|渡轮",
    "car": "car|automobile|sports car|taxi|suv|truck|vehicle|racing car|汽车|轿车|跑车|出租车|卡车|小汽车|赛车|车",
    "bus": "bus|buses|coach|公交车|巴士|大巴|公共汽车",
    "train": "train|locomotive|steam train|subway|metro|tram|bullet train|火车|列车|高铁|地铁|"
    "蒸汽火车|电车|动车",
    "bicycle": "bicycle|bike|cyclist|cycling|biking|riding a bike|自行车|单车|脚踏车|骑车|骑行",
    "airplane": "airplane|aeroplane|plane|aircraft|jet|airliner|飞机|客机|战斗机|喷气机",
    "balloon": "hot air balloon|hot-air balloon|balloon|热气球|气球",
    "rocket": "rocket|rocket launch|火箭发射|spaceship|spacecraft|space shuttle|火箭|飞船|宇宙飞船|航天飞机",
    "kite": "kite|风筝",
    "lantern": "paper lantern|single lantern|纸灯笼",
    "tree": "tree|lone tree|oak|大树|树|一棵树|橡树",
    "flower": "flower|rose|sunflower|tulip|lily|lotus|bouquet|花朵|鲜花|玫瑰|向日葵|郁金香|荷花|莲花|花",
    "umbrella": "umbrella|parasol|雨伞|伞|油纸伞|打伞|撑伞",
}
_ACTION = {
    "run": "run|runs|running|ran|sprint|sprints|sprinting|jog|jogs|jogging|race|races|racing|chase|"
    "chases|chasing|gallop|gallops|galloping|rush|rushing|dash|dashing|奔跑|跑步|跑|飞奔|追逐|追|疾驰|奔驰|奔腾|"
    "狂奔|奔",
    "walk": "walk|walks|walking|walked|stroll|strolls|strolling|wander|wandering|wanders|hike|"
    "hikes|hiking|march|marching|stride|striding|走|散步|行走|漫步|走路|走过|徒步|前行|步行|走在",
    "fly": "fly|flies|flying|flew|soar|soars|soaring|hover|hovers|hovering|glide|gliding|飞翔|飞行|"
    "飞|翱翔|飞过|盘旋|飞舞|飘|漂浮|飘浮|悬浮",
    "dance": "dance|dances|dancing|danced|twirl|twirls|twirling|spin|spinning|ballet|跳舞|舞蹈|起舞|"
    "舞动|旋转|翩翩起舞|舞|芭蕾",
    "sit": "sit|sits|sitting|sat|rest|rests|resting|lie|lies|lying|sleep|sleeps|sleeping|relax|"
    "relaxing|nap|napping|坐着|坐在|坐|休息|躺着|睡觉|睡着|趴着|蹲|打盹|躺|趴在",
    "swim": "swim|swims|swimming|swam|dive|dives|diving|游泳|游动|游|潜水|遨游|游来游去",
    "sail": "sail|sails|sailing|sailed|drift|drifts|drifting|row|rowing|floats|float|floating|"
    "航行|扬帆|驶过|漂流|划船|漂",
    "drive": "drive|drives|driving|drove|ride|rides|riding|rode|speeding|驾驶|行驶|开车|开过|驶|开",
    "jump": "jump|jumps|jumping|jumped|leap|leaps|leaping|hop|hops|hopping|bounce|bouncing|play|"
    "plays|playing|跳跃|跳|蹦跳|跃起|玩耍|嬉戏|玩|跃出",
    "stand": "stand|stands|standing|stood|wait|waits|waiting|pose|poses|posing|looks|looking|gaze|"
    "gazing|watch|watching|watches|站着|站在|站|站立|等待|凝视|眺望|看着|望着",
    "launch": "launch|launches|launching|lift off|liftoff|takes off|take off|taking off|blast off|"
    "发射|升空|起飞|腾飞",
}
_CAMERA = {
    "pan_left": "pan left|pans left|panning left|pan to the left|pans to the left|camera moves left|"
    "camera left|向左平移|左移|向左摇|镜头向左|镜头左移|左摇|向左移动",
    "pan_right": "pan right|pans right|panning right|pan to the right|pans to the right|"
    "camera moves right|camera right|向右平移|右移|向右摇|镜头向右|镜头右移|右摇|向右移动|平移镜头|panning shot",
    "tilt_up": "tilt up|tilts up|tilting up|camera moves up|pan up|向上摇|上摇|镜头向上|仰拍|上移|镜头上移",
    "tilt_down": "tilt down|tilts down|tilting down|camera moves down|pan down|向下摇|下摇|镜头向下|"
    "俯拍|下移|镜头下移",
    "zoom_in": "zoom in|zooms in|zooming in|push in|pushes in|dolly in|dollies in|close in|"
    "move closer|camera pushes in|推进|推镜头|拉近|镜头推近|放大|镜头推进|推近",
    "zoom_out": "zoom out|zooms out|zooming out|pull back|pulls back|pull out|pulls out|dolly out|"
    "pulling back|拉远|拉镜头|镜头拉远|缩小|镜头拉开|后拉",
    "orbit": "orbit|orbits|orbiting shot|arc shot|orbit shot|rotate around|circling|360 shot|环绕|"
    "环绕镜头|绕着|旋转镜头|围绕拍摄",
    "tracking": "tracking shot|tracking|follow shot|follow|follows|following|camera follows|跟拍|"
    "跟随|跟踪镜头|跟镜头|镜头跟随|追踪镜头",
    "static": "static|fixed camera|fixed shot|locked off|locked-off|still camera|static shot|"
    "static camera|tripod|固定镜头|静止镜头|固定机位|定镜",
    "handheld": "handheld|hand-held|shaky cam|shaky|手持|手持镜头|晃动镜头|手持拍摄",
    "crane": "crane shot|crane|aerial|aerial shot|aerial view|drone|drone shot|bird's eye view|"
    "birds eye view|overhead shot|flyover|航拍|无人机|鸟瞰|升降镜头|俯瞰|摇臂",
}
_COLOR = {
    "red": "red|crimson|scarlet|红色|红|红色的|大红",
    "orange": "orange|橙色|橘色|橙|橘",
    "yellow": "yellow|golden|gold|黄色|金色|黄|金黄",
    "green": "green|emerald|绿色|翠绿|绿",
    "blue": "blue|azure|navy|蓝色|蓝|天蓝",
    "purple": "purple|violet|紫色|紫",
    "pink": "pink|粉色|粉红|粉红色|粉",
    "white": "white|snow-white|白色|白|雪白",
    "black": "black|dark|黑色|黑",
    "gray": "gray|grey|silver|灰色|银色|灰|银",
    "brown": "brown|chestnut|棕色|褐色|棕",
}
_NUMBER = {
    "1": "a|an|one|single|lone|一只|一个|一位|一名|一艘|一辆|一匹|一头|一条|一架|一列|一名|独自",
    "2": "two|pair of|2|两只|两个|两位|两艘|两辆|两匹|两头|两条|两架|一对|二",
    "3": "three|several|some|few|group of|3|三只|三个|三位|三艘|三辆|三匹|三头|三条|几只|几个|一些|几条|几匹",
    "4": "four|4|四只|四个|四匹|四条|四头",
    "5": "five|many|flock of|herd of|school of|crowd of|5|五只|五个|五匹|五条|五头|一群|许多|很多|群",
}
_SKIP = (
    # Longer words that hold a shorter one, which must not be read as that.
    "spring water|waterproof|forest green|sea lion|starfish|spaceship interior|carefree|"
    "rose gold|in the fall of|ice cream|马上|马路边|花样|海报|车站|人行道|龙卷风|风景|风格|风光|"
    "风情|月亮船|火车站|公园长椅"
)

_MOON_WORDS = frozenset(
    {"full moon", "moonbeam", "the moon", "moon", "月亮", "圆月", "明月", "满月"}
)

_GROUPS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "time": _TIME,
        "place": _PLACE,
        "weather": _WEATHER,
        "extra": _EXTRA,
        "season": _SEASON,
        "subject": _SUBJECT,
        "action": _ACTION,
        "camera": _CAMERA,
        "color": _COLOR,
        "number": _NUMBER,
    }
)
_ALSO: Mapping[str, tuple[Tag, ...]] = MappingProxyType(
    {
        # Words that say a second thing beside their first.
        "snowy": (("season", "winter"), ("extra", "snowcaps")),
        "snow-covered": (("season", "winter"), ("extra", "snowcaps")),
        "snow-capped": (("extra", "snowcaps"),),
        "积雪": (("season", "winter"), ("extra", "snowcaps")),
        "雪山": (("season", "winter"), ("extra", "snowcaps")),
        "雨夜": (("time", "night"),),
        "月夜": (("time", "night"),),
        "sunny day": (("time", "noon"),),
        "clear day": (("time", "noon"),),
        "snowy night": (("time", "night"),),
        "snowy evening": (("time", "dusk"),),
        "snowy morning": (("time", "morning"),),
        "雪夜": (("time", "night"),),
        "polar bear": (("color", "white"),),
        "北极熊": (("color", "white"),),
        "白马": (("color", "white"),),
        "白兔": (("color", "white"),),
        "starry": (("extra", "stars"),),
        "starry sky": (("time", "night"),),
        "星夜": (("extra", "stars"),),
        "星空": (("time", "night"),),
        "晨雾": (("time", "morning"),),
        "山路": (("place", "mountains"),),
        "rocket launch": (("action", "launch"),),
        "火箭发射": (("action", "launch"),),
        "烟雨": (("weather", "rain"),),
    }
)


def _is_latin(word: str) -> bool:
    return word[0].isascii()


@lru_cache(maxsize=1)
def _tables() -> tuple[re.Pattern[str], Mapping[str, tuple[Tag, ...]]]:
    meanings: dict[str, list[Tag]] = {}
    for slot, values in _GROUPS.items():
        for value, words in values.items():
            for word in words.split("|"):
                tags = meanings.setdefault(word, [])
                tags.append((slot, value))
    for word, more in _ALSO.items():
        meanings.setdefault(word, []).extend(more)
    for word in _SKIP.split("|"):
        meanings.setdefault(word, [])
    for word in _MOON_WORDS:
        meanings[word] = [("time", "night"), ("extra", "moon")]
    ordered = sorted(meanings, key=len, reverse=True)
    latin = "|".join(re.escape(word) for word in ordered if _is_latin(word))
    chinese = "|".join(re.escape(word) for word in ordered if not _is_latin(word))
    pattern = re.compile(
        rf"(?<![a-z])(?P<latin>{latin})(?P<ending>e?s)?(?![a-z])|(?P<han>{chinese})"
    )
    return pattern, MappingProxyType({word: tuple(tags) for word, tags in meanings.items()})


_NEGATION = re.compile(r"(?:\bno|\bwithout|\bnot|没有|无|不要)(?:\s+(?:any|a|the))?\s*$")
_PLURAL_WORDS = frozenset(
    {
        "children",
        "people",
        "women",
        "men",
        "butterflies",
        "puppies",
        "bunnies",
        "geese",
        "oxen",
    }
    | {
        "孩子们",
        "人们",
        "人群",
        "crowd",
        "caravan",
        "商队",
        "驼队",
        "鱼群",
        "school of fish",
    }
    | {"象群", "牛群", "羊群", "foxes"}
)


def find_words(text: str) -> Iterator[Finding]:
    """Yield every known word of `text`, left to right, the longest match first, none overlapping.

    A word right after "no", "without", "没有" and the like is marked as negated.
    """
    pattern, meanings = _tables()
    lowered = text.lower()
    for match in pattern.finditer(lowered):
        word = match["latin"] or match["han"]
        tags = meanings[word]
        if not tags:
            continue
        following = lowered[match.end() : match.end() + 1]
        yield Finding(
            tags=tags,
            start=match.start(),
            end=match.end(),
            is_plural=bool(match["ending"]) or word in _PLURAL_WORDS or following == "们",
            is_negated=bool(_NEGATION.search(lowered[: match.start()])),
        )
