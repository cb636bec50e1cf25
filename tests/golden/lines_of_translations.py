"""Lines as a translation may hold them, and worse: for make_bleu.py and tests/python/test_score_translation.py."""

AWKWARD = [
    "", " ", "\t", "a", ".", "-", "&", "...", "Hello, world!", "1990.", "In 1990.", "3,000.5 and 3,000. and ,5 and 5,", "1.2.3,4,5.",
    "state-of-the-art", "5-3", "5 -3", "5--3", "a-b-c", "1-2-3", "x-5", "&amp;lt;", "&amp;amp;lt;b&gt;", "&quot;quoted&quot;", "a&ampb",
    "AT&T &lt; &gt; &nbsp;", "<skipped>", "a<skipped>b", "<skip<skipped>ped>", "<skipped> text", "“curly” ‘quotes’ „unten“ »gauche«",
    "dash – em — hyphen‐ non‑breaking", "it's don't l'eau", "'single'", "(hi)", "((hi))", "[x]{y}|~z", "a\rb", "ends in CR\r", "\r",
    "a\u0085b", "a\u001cb\u001dc\u001ed\u001fe", "a\u00a0b\u2009c\u3000d\u2028e\u2029f\u202fg", "a\u200bb", "\ufeffBOM", "$5 €5 £5 5° ±1 ×2",
    "½ ² ③ Ⅷ ٣ ५", "٣.٣ ५,५ ½.", "Ⅷ.", "a.½", "日本語。テスト、です！", "「引用」", "中文，句号。", "Привет, мир!", "Ελλάδα; ΟΔΟΣ ΣΑΣ", "İstanbul ISTANBUL",
    "Straße STRASSE ẞ", "e\u0301 é", "👍🏽 emoji 👨\u200d👩\u200d👧", "\U0001f1e9\U0001f1ea", "𝒜𝓑 𝟙𝟚.", "@-@ x @-@ y", "a @@ b@@ c", "##AT##-##AT##",
    "http://www.example.com/a?b=c&d=e#f", "user@example.com", "1,5 Mio. €", "z.B. d.h. u.s.w.", "«Bonjour», dit-il…", "¿Qué? ¡No!", "%50 50% 50 %",
    "a_b __init__", "C++ C# .NET", "\\n \\t \\\\", "`code`", "a^b", "\u0000nul", "a.\u0000.b", "؟ ، ؛ ۔", "।", "a\u00adb", "\u2212 5 − 3", "\u061cعربي",
    "\U00011fff \U0001e5ff \U00010d6e ", "\ufffd", "a,b", "a,1", "1,a", "1,,1", "..1..", "1..1", ",", ",,", "a.-1", "1-.", "-1", "1-", "!-/:-@[-`{-~",
    "  leading and trailing  ", "double  space", "tab\tseparated", "the the the the the", "the cat sat on a", "It is a guide to action.",
]  # fmt: skip
WORDS = (
    "the The THE cat cats sat on mat Haus Häuser groß über 3,5 1990 1990. 12-Jährige E-Mail U.S. (siehe) „so“ – — … don't l' &amp; &quot; ; : ! ? . , "
    "€5 50% ½ ΟΔΟΣ ος Straße 日本語 、 。 мир, Iİ ıi - -- / a/b A&B @ # x=y <b> 10:30 «oui» '90s"
).split()
GAPS = [" "] * 30 + ["  ", "", "\u00a0", "\t", "-", "\u2009", "\r", "\u0085", "\u001c"]
CHARACTERS = [chr(c) for c in (*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2000, 0x2070), *range(0x20A0, 0x20C0), 0x3001, 0x3002, 0x660, 0x966)]


def line(draw):
    if draw.random() < 0.2:
        return "".join(draw.choices(CHARACTERS, k=draw.randint(0, 30)))
    return "".join(w + draw.choice(GAPS) for w in draw.choices(WORDS, k=draw.randint(0, 25)))


def noisy(draw, text):
    words = text.split(" ")
    for _ in range(draw.randint(0, 4)):
        at = draw.randrange(len(words))
        change = draw.randrange(4)
        if change == 0:
            words[at:at] = [draw.choice(WORDS)]
        elif change == 1:
            words[at] = draw.choice(WORDS)
        elif change == 2 and len(words) > 1:
            del words[at]
        else:
            words[at] = words[at].swapcase()
    return " ".join(words)


def corpus(draw, size, references, how):
    """(predictions, lists of references) of so many sentences: noisy: the first reference with changes; drawn: another line; short:
    up to three words; unmatched, empty; awkward: lines of AWKWARD, changed."""
    predictions, wanted = [], []
    for _ in range(size):
        text = draw.choice(AWKWARD) + draw.choice(["", " " + line(draw)]) if how == "awkward" else line(draw)
        if how == "short":
            text = " ".join(draw.choices(WORDS, k=draw.randint(1, 3)))
        wanted.append([text] + [draw.choice([noisy(draw, text), line(draw), ""]) for _ in range(references - 1)])
        fixed = {"drawn": line(draw), "unmatched": "zzz qqq xxx vvv kkk", "empty": ""}
        predictions.append(fixed[how] if how in fixed else noisy(draw, text))
    return predictions, wanted
