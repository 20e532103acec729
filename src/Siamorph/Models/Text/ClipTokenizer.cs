using System.Globalization;
using System.Text;
using Siamorph.Weights;

namespace Siamorph.Models.Text;

/// <summary>
/// Prompts → token numbers as Stable Diffusion 1.5 makes them: cleaned and lower case, split into words, byte-pair encoded
/// (arXiv 1508.07909), a mark before and one behind, filled up with the latter.
/// </summary>
internal sealed class ClipTokenizer
{
    private const string EndOfWord = "</w>";
    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    private readonly BpeVocabulary _vocabulary;
    private readonly Dictionary<(string, string), int> _ranks = [];
    private readonly Dictionary<string, long[]> _known = [];

    /// <summary>Takes the user's vocabulary.</summary>
    /// <param name="vocabulary">Merges and numbers.</param>
    /// <param name="length">Tokens of a prompt, marks and padding included.</param>
    public ClipTokenizer(BpeVocabulary vocabulary, int length = 77)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        (_vocabulary, Length) = (vocabulary, length);
        for (var i = 0; i < vocabulary.Merges.Count; i++) _ranks.TryAdd(vocabulary.Merges[i], i);
        (Begin, End) = (vocabulary.Ids[BpeVocabulary.Begin], vocabulary.Ids[BpeVocabulary.End]);
    }

    /// <summary>Tokens of a prompt.</summary>
    public int Length { get; }

    /// <summary>Number of the mark before every prompt.</summary>
    public long Begin { get; }

    /// <summary>Number of the mark behind every prompt, and of the padding.</summary>
    public long End { get; }

    /// <summary>The numbers of a prompt; what does not fit is left out at the end.</summary>
    /// <returns><see cref="Length"/> numbers.</returns>
    public long[] Encode(string text)
    {
        var ids = new long[Length];
        Array.Fill(ids, End);
        ids[0] = Begin;
        var at = 1;
        foreach (var id in Content(text).Take(Length - 2)) ids[at++] = id;
        return ids;
    }

    /// <summary>The numbers of a prompt's own tokens, however many, without marks and padding.</summary>
    public IEnumerable<long> Content(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Words(PromptText.Clean(text)).SelectMany(Encoded);
    }

    private long[] Encoded(string word)
    {
        if (word == BpeVocabulary.Begin) return [Begin];
        if (word == BpeVocabulary.End) return [End];
        lock (_known)
        {
            if (!_known.TryGetValue(word, out var ids)) _known[word] = ids = [.. Merge(word).Select(Number)];
            return ids;
        }
    }

    private long Number(string token) => _vocabulary.Ids.TryGetValue(token, out var id) ? id : End;

    // The pair with the lowest rank is joined wherever it stands, until no pair has a rank.
    private List<string> Merge(string word)
    {
        var symbols = Encoding.UTF8.GetBytes(word).Select(b => BpeVocabulary.ByteSymbols[b].ToString()).ToList();
        symbols[^1] += EndOfWord;
        while (symbols.Count > 1)
        {
            var best = symbols.Zip(symbols.Skip(1)).MinBy(p => _ranks.GetValueOrDefault(p, int.MaxValue));
            if (!_ranks.ContainsKey(best)) break;
            var joined = new List<string>(symbols.Count);
            for (var i = 0; i < symbols.Count; i++)
            {
                if (i + 1 < symbols.Count && (symbols[i], symbols[i + 1]) == best) joined.Add(symbols[i] + symbols[++i]);
                else joined.Add(symbols[i]);
            }
            symbols = joined;
        }
        return symbols;
    }

    // Marks, contractions, runs of letters, single digits, runs of anything else but blanks.
    private static IEnumerable<string> Words(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var length = WordAt(text, at);
            if (length > 0) yield return text.Substring(at, length);
            at += Math.Max(length, 1);
        }
    }

    private static int WordAt(string text, int at)
    {
        bool StartsWith(string word) => string.CompareOrdinal(text, at, word, 0, word.Length) == 0;
        foreach (var mark in new[] { BpeVocabulary.Begin, BpeVocabulary.End }.Concat(Contractions))
            if (StartsWith(mark)) return mark.Length;
        var kind = KindAt(text, at, out var length);
        if (kind == Kind.Blank) return 0;
        if (kind == Kind.Number) return length;
        var end = at + length;
        while (end < text.Length && KindAt(text, end, out length) == kind) end += length;
        return end - at;
    }

    private enum Kind
    {
        Blank,
        Letter,
        Number,
        Other,
    }

    private static Kind KindAt(string text, int at, out int length)
    {
        var rune = Rune.TryGetRuneAt(text, at, out var found) ? found : Rune.ReplacementChar;
        length = rune.Utf16SequenceLength;
        if (Rune.IsWhiteSpace(rune)) return Kind.Blank;
        if (Rune.IsLetter(rune)) return Kind.Letter;
        return Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber
            or UnicodeCategory.OtherNumber ? Kind.Number : Kind.Other;
    }
}
