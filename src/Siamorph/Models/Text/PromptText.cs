using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Siamorph.Models.Text;

/// <summary>
/// Cleans prompts as Stable Diffusion 1.5's text pipeline does before it splits them: mended encoding, plain quotes, ligatures
/// and full-width forms taken apart, HTML entities resolved, control characters dropped, blanks single, lower case.
/// </summary>
internal static partial class PromptText
{
    private static readonly Encoding Windows1252 = CodePagesEncodingProvider.Instance.GetEncoding(
        1252, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)!;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>The text as the tokenizer splits it.</summary>
    public static string Clean(string text)
    {
        var entities = !text.Contains('<', StringComparison.Ordinal); // with markup, entities are part of it
        for (var before = ""; before != text;)
        {
            before = text;
            if (entities) text = Entity().Replace(text, m => WebUtility.HtmlDecode(m.Value));
            text = TextComposition.Compose(Plain(MendEncoding(text)));
        }
        return Lower(Blanks().Replace(text, " ").Trim());
    }

    // UTF-8 that was once read as Windows-1252: its bytes are UTF-8 again, which hardly any real text is.
    private static string MendEncoding(string text)
    {
        if (text.All(char.IsAscii)) return text;
        try
        {
            return StrictUtf8.GetString(Windows1252.GetBytes(text));
        }
        catch (ArgumentException) // it isn't
        {
            return text;
        }
    }

    private static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            _ = c switch
            {
                '\u02BC' or >= '\u2018' and <= '\u201B' => plain.Append('\''),
                >= '\u201C' and <= '\u201F' => plain.Append('"'),
                '\u3000' => plain.Append(' '),
                >= '\uFF01' and <= '\uFF5E' => plain.Append((char)(c - 0xFEE0)),
                _ when Ligature(c) is { } letters => plain.Append(letters),
                _ when IsControl(c) => plain,
                _ => plain.Append(c),
            };
        }
        return plain.ToString();
    }

    private static string? Ligature(char c) => c switch
    {
        '\u0132' => "IJ", '\u0133' => "ij", '\u0149' => "\u02BCn",
        '\u01C4' => "D\u017D", '\u01C5' => "D\u017E", '\u01C6' => "d\u017E",
        '\u01C7' => "LJ", '\u01C8' => "Lj", '\u01C9' => "lj", '\u01CA' => "NJ", '\u01CB' => "Nj", '\u01CC' => "nj",
        '\u01F1' => "DZ", '\u01F2' => "Dz", '\u01F3' => "dz",
        '\uFB00' => "ff", '\uFB01' => "fi", '\uFB02' => "fl", '\uFB03' => "ffi", '\uFB04' => "ffl", '\uFB05' =>
            "\u017Ft", '\uFB06' => "st",
        _ => null,
    };

    private static bool IsControl(char c) =>
        c is < '\u0009' or '\u000B' or >= '\u000E' and <= '\u001F' or '\u007F' or '\uFEFF' or >= '\u206A' and <= '\u206F'
        or >= '\uFFF9' and <= '\uFFFC';

    // Beside one letter for another: the dotted capital İ gives two, and Σ at the end of a word gives ς.
    private static string Lower(string text)
    {
        var lower = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\u0130') lower.Append("i\u0307");
            else if (text[i] == '\u03A3' && i > 0 && char.IsLetter(text[i - 1])
                && (i + 1 == text.Length || !char.IsLetter(text[i + 1]))) lower.Append('\u03C2');
            else lower.Append(text[i]);
        }
        return lower.ToString().ToLowerInvariant();
    }

    [GeneratedRegex("&#?[0-9A-Za-z]{1,24};")]
    private static partial Regex Entity();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
