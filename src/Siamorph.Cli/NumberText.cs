using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Siamorph.Cli;

/// <summary>
/// Numbers on the command line are typed in one way: digits, a point before decimals, perhaps an exponent. Whatever else a
/// number might be elsewhere (0,001 · 1,000 · 1 000 · 0x10) is refused, because it would be another number here.
/// </summary>
internal static partial class NumberText
{
    /// <summary>The number, of the type that is asked for.</summary>
    /// <exception cref="FormatException">It is typed in another way, or is out of the type's range.</exception>
    public static object Parse(string text, Type type)
    {
        if (!Plain().IsMatch(text)) throw new FormatException();
        try
        {
            if (type == typeof(double)) return Finite(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));
            if (type == typeof(float)) return (float)Finite(float.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));
            if (type == typeof(decimal)) return decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
            if (!Whole().IsMatch(text)) throw new FormatException();
            return type == typeof(ulong)
                ? ulong.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)
                : Convert.ChangeType(long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture), type,
                CultureInfo.InvariantCulture);
        }
        catch (OverflowException)
        {
            throw new FormatException();
        }
    }

    /// <summary>Whether numbers of this type are read here.</summary>
    public static bool Reads(Type type) => type.IsPrimitive && type != typeof(bool) && type != typeof(char)
        || type == typeof(decimal);

    /// <summary>How the number may have been meant, as ", such as 0.001"; empty where that can't be told.</summary>
    public static string Hint(string text) =>
        WithComma().IsMatch(text) ? $"; use a decimal point: {text.Replace(',', '.')}"
        : Grouped().IsMatch(text) ? $"; leave out the thousands separators: {Marks().Replace(text, "")}"
        : "";

    /// <summary>What a flag of this type wants, in words.</summary>
    public static string Expected(Type type) =>
        type == typeof(double) || type == typeof(float)
        || type == typeof(decimal) ? "a number, with a point for decimals" : "a whole number in the valid range";

    private static double Finite(double value) => double.IsFinite(value) ? value : throw new FormatException();

    [GeneratedRegex(@"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")]
    private static partial Regex Plain();

    [GeneratedRegex(@"^[+-]?\d+$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"^[+-]?\d*,\d+([eE][+-]?\d+)?$")]
    private static partial Regex WithComma();

    [GeneratedRegex(@"^[+-]?\d{1,3}([,' _\u00a0\u2009\u202f]\d{3})+(\.\d+)?$")]
    private static partial Regex Grouped();

    [GeneratedRegex(@"[,' _\u00a0\u2009\u202f]")]
    private static partial Regex Marks();
}

/// <summary>A flag that takes a number, typed as <see cref="NumberText"/> demands.</summary>
internal sealed class NumberOption<T> : Option<T>
{
    public NumberOption(string name) : base(name) => CustomParser = result =>
    {
        try
        {
            return (T)NumberText.Parse(result.Tokens[^1].Value, Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T));
        }
        catch (FormatException)
        {
            result.AddError("not a number"); // the command's line of the fault says more
            return default!;
        }
    };
}
