"""What is said about problems in a scenario, in English and in Chinese."""

from __future__ import annotations

MESSAGES: dict[str, dict[str, str]] = {
    "no_lesson": {"en": "no built-in lesson '{found}'", "zh": "没有名为 '{found}' 的课"},
    "no_claim": {"en": "the scenario makes no claim '{found}'", "zh": "该情景没有名为 '{found}' 的论断"},
    # reading the file
    "no_file": {"en": "no such file", "zh": "文件不存在"},
    "folder": {"en": "this is a folder, not a scenario file", "zh": "这是文件夹，不是情景文件"},
    "unreadable": {"en": "cannot be read: {reason}", "zh": "无法读取：{reason}"},
    "no_builtin": {"en": "no built-in scenario '{found}'", "zh": "没有名为 '{found}' 的内置情景"},
    "not_text": {"en": "this is not a UTF-8 text file", "zh": "不是 UTF-8 文本文件"},
    "too_large": {
        "en": "the file has {found} kB; a scenario file has at most {high} kB",
        "zh": "文件为 {found} kB；情景文件最多 {high} kB",
    },
    "too_deep": {"en": "nested too deeply (at most {high} levels)", "zh": "嵌套过深（最多 {high} 层）"},
    "too_many": {
        "en": "more than {high} values once aliases (*) are expanded",
        "zh": "展开别名（*）后超过 {high} 个值",
    },
    "self_reference": {"en": "this alias (*) contains itself", "zh": "该别名（*）包含自身"},
    "empty": {"en": "the file says nothing", "zh": "文件没有内容"},
    "tab": {"en": "tabs cannot indent YAML; use spaces", "zh": "YAML 不能用制表符缩进，请用空格"},
    "syntax": {"en": "not valid YAML: {reason}", "zh": "不是有效的 YAML：{reason}"},
    "unclosed": {"en": "this {found} is never closed", "zh": "此处的 {found} 没有闭合"},
    "unclosed_by": {
        "en": "this {found} is not closed, or holds something that is not valid: line {end} does not belong into it",
        "zh": "此处的 {found} 没有闭合，或其中有无效内容：第 {end} 行不属于它",
    },
    "duplicate": {
        "en": "'{found}' appears twice; first in line {first}",
        "zh": "'{found}' 重复；首次出现在第 {first} 行",
    },
    "merge_key": {
        "en": "merge keys (<<) are not read; use extends, or repeat the settings",
        "zh": "不支持合并键（<<）；请用 extends 或重复写出设置",
    },
    "tag": {"en": "YAML tags such as {found} are not used here", "zh": "这里不使用 {found} 之类的 YAML 标签"},
    "extends_cycle": {"en": "extends itself: {chain}", "zh": "循环继承：{chain}"},
    # shape
    "mapping": {"en": "must be a mapping (name: value), not {found}", "zh": "必须是映射（名称：值），而不是 {found}"},
    "list": {"en": "must be a list, not {found}", "zh": "必须是列表，而不是 {found}"},
    "text": {"en": "must be a text, not {found}", "zh": "必须是文字，而不是 {found}"},
    "both_languages": {
        "en": "must be a text (in quotes if it has a colon) or {{en: ..., zh: ...}}, not {found}",
        "zh": "必须是文字（含冒号时须加引号）或 {{en: ..., zh: ...}}，而不是 {found}",
    },
    "number": {"en": "must be a number{range}, not {found}", "zh": "必须是数字{range}，而不是 {found}"},
    "whole": {"en": "must be a whole number{range}, not {found}", "zh": "必须是整数{range}，而不是 {found}"},
    "switch": {"en": "must be true or false, not {found}", "zh": "必须是 true 或 false，而不是 {found}"},
    "range": {"en": "must be {range}, not {found}", "zh": "必须{range}，而不是 {found}"},
    "percent": {
        "en": "a percentage has no meaning here (unit: {unit})",
        "zh": "此处不能用百分数（单位：{unit}）",
    },
    "option": {"en": "unknown {what} '{found}'", "zh": "未知的{what} '{found}'"},
    "unknown": {"en": "unknown setting '{found}'{owner}", "zh": "{owner}没有 '{found}' 这个设置"},
    "missing": {"en": "'{found}' is missing{owner}", "zh": "{owner}缺少 '{found}'"},
    "no_firm": {"en": "no firm '{found}' in this scenario", "zh": "本情景中没有企业 '{found}'"},
    "no_arm": {"en": "no arm '{found}' in this scenario", "zh": "本情景中没有对照组 '{found}'"},
    "single": {
        "en": "'{parent}' is a single value; nothing lies below it",
        "zh": "'{parent}' 是单个值，下面没有其他设置",
    },
    "group": {"en": "'{found}' is a group of settings; name one of them", "zh": "'{found}' 是一组设置，请指明其中一项"},
    "not_set": {
        "en": "'{found}' cannot be set this way; use {instead}",
        "zh": "不能这样修改 '{found}'；请用 {instead}",
    },
    "name": {
        "en": "'{found}' must consist of a-z, 0-9 and _, and start with a letter",
        "zh": "'{found}' 只能由 a-z、0-9 和 _ 组成，并以字母开头",
    },
    "identifier": {
        "en": "'{found}' is not a plain name: letters, digits and _, and no digit first",
        "zh": "'{found}' 不是普通名称：只能用字母、数字和 _，且不能以数字开头",
    },
    "reserved": {"en": "'{found}' is a reserved name", "zh": "'{found}' 是保留名称"},
    "currency": {
        "en": "must be a three-letter code such as CNY, not {found}",
        "zh": "必须是三个字母的代码，如 CNY，而不是 {found}",
    },
    "distribution": {
        "en": "must be a number or a distribution such as {{dist: lognormal, mean: 110, cv: 0.5}}, not {found}",
        "zh": "必须是数字或分布，如 {{dist: lognormal, mean: 110, cv: 0.5}}，而不是 {found}",
    },
    "strategy": {
        "en": "must be a strategy's name, or a mapping with its name and parameters, not {found}",
        "zh": "必须是策略名称，或包含 name 和参数的映射，而不是 {found}",
    },
    "firm_count": {
        "en": "a scenario has 1 to {high} firms, not {found}",
        "zh": "一个情景有 1 至 {high} 家企业，而不是 {found} 家",
    },
    "rule": {"en": "{reason}", "zh": "{reason}"},
    # moves
    "move_late": {
        "en": "a move in tick {found} never happens: the run ends with tick {high}",
        "zh": "第 {found} 期的变动不会发生：模拟到第 {high} 期结束",
    },
    "drawn_once": {
        "en": "'{found}' is drawn once, when the run starts; a move cannot change it. Set it for the whole run instead",
        "zh": "'{found}' 在开始时一次性确定，变动不能修改它；请对整个模拟设置",
    },
    "fixed": {
        "en": "'{found}' holds for the whole run; a move cannot change it",
        "zh": "'{found}' 在整个模拟中不变，变动不能修改它",
    },
    "no_change": {"en": "a move changes at least one setting", "zh": "变动至少要修改一项设置"},
    # claims
    "expression": {"en": "cannot read '{found}': {reason}", "zh": "无法理解 '{found}'：{reason}"},
    "measure": {"en": "unknown measure '{found}'", "zh": "未知的指标 '{found}'"},
    "cause": {"en": "unknown cause '{found}'", "zh": "未知的流失原因 '{found}'"},
    "scope": {
        "en": "'{found}' is a measure of {scope}; write {instead}",
        "zh": "'{found}' 是{scope}的指标；请写 {instead}",
    },
    "window": {
        "en": "window {found} lies outside the run (ticks {low} to {high})",
        "zh": "时间窗 {found} 超出模拟范围（第 {low} 至 {high} 期）",
    },
    "out_of_range": {
        "en": "{found} is out of range: {what} runs from {low} to {high}",
        "zh": "{found} 超出范围：{what}为 {low} 至 {high}",
    },
    "no_ledger": {
        "en": "'{found}' is read from the ledger, which this scenario does not keep; give it ledger: true",
        "zh": "'{found}' 取自客户账目，而本情景没有记录账目；请设 ledger: true",
    },
    "window_order": {
        "en": "window {found} runs backwards; to subtract, put spaces around the minus sign",
        "zh": "时间窗 {found} 先后颠倒；若要相减，请在减号两侧加空格",
    },
    "twice": {"en": "two claims have the id '{found}'", "zh": "有两个 claim 的 id 都是 '{found}'"},
    # results
    "import_first": {
        "en": "the strategy '{found}' is not known in this session; import the module that defines it first",
        "zh": "本次会话中没有策略 '{found}'；请先导入定义它的模块",
    },
    "no_result_ledger": {
        "en": "the result holds no ledger of arm '{found}'; run it with ledger: true",
        "zh": "结果中没有对照组 '{found}' 的客户账目；请以 ledger: true 运行",
    },
    "no_result_arm": {"en": "the result holds no run of arm '{found}'", "zh": "结果中没有对照组 '{found}' 的运行"},
}
"""One template per kind of problem and language."""

RULES_ZH: tuple[tuple[str, str], ...] = (
    (r"stay_intensity \+ contact_intensity must not exceed 1", "stay_intensity 与 contact_intensity 之和不能超过 1"),
    (r"natural \+ lapse \+ credit must not exceed 1 per tick", "natural、lapse、credit 之和每期不能超过 1"),
    (
        r"taste.homophily needs acquaintances near by: .*",
        "taste.homophily 需要有近邻熟人：word_of_mouth.rewired 必须小于 1",
    ),
    (
        r"count must be at least (\d+) customers where taste.homophily is above 0, with (\d+) acquaintances each",
        "taste.homophily 大于 0 且每人有 {1} 位熟人时，count 至少为 {0} 位客户",
    ),
    (r"restore \((.+?)\) must come after start \((.+?)\)", "restore（{0}）必须晚于 start（{1}）"),
    (r"low \((.+?)\) must not exceed high \((.+?)\)", "low（{0}）不能大于 high（{1}）"),
    (r"priority must name .*", "priority 必须包含 service 和 relationship 各一次"),
    (r"relationship_levels must have exactly (.+)", "relationship_levels 必须正好包含 {0}"),
    (r"the firms' initial_share values sum to (.+?);.*", "各企业 initial_share 之和为 {0}，不能超过 1"),
    (
        r"(\w+) must stay between (.+?) and (.+?) \((.+?)\); this distribution reaches from (.+?) to (.+)",
        "{0} 必须在 {1} 与 {2} 之间；该分布的范围是 {4} 至 {5}",
    ),
    (r"a claim has either 'holds' or 'estimate'", "claim 只能有 holds 或 estimate 之一"),
    (r"'holds' takes a comparison, .*", "holds 需要比较式，例如 a > b"),
    (r"'estimate' takes a quantity, .*", "estimate 需要一个数量，不能含比较"),
    (r"longer than (.+) characters", "超过 {0} 个字符"),
    (r"'(.+)' should be written (.+)", "'{0}' 应写作 {1}"),
    (r"check operators and brackets", "请检查运算符和括号"),
    (r"'(.+)' needs a window, such as (.+) or (.+)", "'{0}' 需要时间窗，例如 {1} 或 {2}"),
    (r"'(.+)' is not measure.firm@ticks, .*", "'{0}' 不是 measure.firm@ticks 形式，例如 share.eton@24"),
    (r"a comparison cannot be calculated with", "比较式不能参与运算"),
    (r"'and' and 'or' join comparisons", "and 和 or 只能连接比较式"),
    (r"unknown function '(.+)' \((.+)\)", "未知的函数 '{0}'（可用 {1}）"),
    (r"(\w+)\(\) takes one term, such as (.+)", "{0}() 只接受一个项，例如 {1}"),
    (r"nested too deeply", "嵌套过深"),
    (r"only (.+) are allowed", "只能使用 {0}"),
    (r"above \((.+?)\) must be less than below \((.+?)\)", "above（{0}）必须小于 below（{1}）"),
    (r"division by zero \(/ (.+)\)", "除以零（/ {0}）"),
    (r"'above' and 'below' belong to an 'estimate'", "above 和 below 只用于 estimate"),
)
"""Chinese for the rules that the records state in English, by pattern."""

UNITS_ZH: dict[str, str] = {
    "1": "无量纲", "currency": "货币", "per tick": "每期", "per stay": "每次入住", "contacts": "次联系",
    "customers": "位客户", "people": "人", "ticks": "期", "tick": "期", "currency per stay": "货币/次入住",
    "per customer and tick": "次/客户·期", "currency per customer and tick": "货币/客户·期",
    "currency per market customer and tick": "货币/市场客户·期", "currency per market customer": "货币/市场客户",
    "stays per market customer and tick": "次入住/市场客户·期", "ticks of fixed cost": "期固定成本",
    "share of the list price": "标价的比例", "share of the price": "价格的比例", "times the price": "倍价格",
    "currency per elite customer and tick": "货币/精英客户·期", "currency per complaint": "货币/次投诉",
    "persons": "人", "employees": "名员工", "stays": "次入住", "per review": "每次评估", "prices": "个价格",
    "share of the cost": "成本的比例", "share of the market": "市场的比例", "times the list price": "倍标价",
    "share of the rival's price": "对手价格的比例", "share of the usual price": "平时价格的比例",
}  # fmt: skip

WHAT_ZH: dict[str, str] = {
    "strategy": "策略", "value": "取值", "distribution": "分布", "the market": "整个市场", "one firm": "单个企业",
    "tick": "时间", "tenure": "客龄", "percent": "百分比",
    "nothing": "空", "a mapping": "映射", "a list": "列表", "a single value": "单个值",
}  # fmt: skip

SUGGESTIONS: dict[str, dict[str, str]] = {
    "near": {"en": "did you mean {near}?", "zh": "您是否想写 {near}？"},
    "new_firm": {"en": "a new firm needs a name", "zh": "新企业需要 name"},
    "new_firm_near": {
        "en": "a new firm needs a name; did you mean {near}?",
        "zh": "新企业需要 name；您是否想写 {near}？",
    },
    "as_share": {"en": "{percent} % would be {share}", "zh": "{percent} % 应写作 {share}"},
    "quote": {
        "en": "a text with : , [ ] {{ }} @ or # in it needs quotes",
        "zh": "含有 : , [ ] {{ }} @ 或 # 的文字要加引号",
    },
    "options": {"en": "allowed: {options}", "zh": "可用：{options}"},
    "more": {"en": " and {n} more", "zh": " 等（另有 {n} 个）"},
    "list": {"en": " (all of them: churnsim list)", "zh": "（全部见 churnsim list）"},
}
