using System.Globalization;

namespace Siamorph.Reports;

/// <summary>Numbers as a reader wants them, the same in every language setting.</summary>
internal static class Format
{
    /// <summary>A score in [0,1] with three decimals.</summary>
    public static string Score(double value) =>
        double.IsNaN(value) ? "–" : Minus(value.ToString("0.000", CultureInfo.InvariantCulture));

    /// <summary>A difference of scores with its sign.</summary>
    public static string Signed(double value)
        => double.IsNaN(value) ? "–" : (Math.Round(value, 3) > 0 ? "+" : "") + Score(Math.Round(value, 3) == 0 ? 0 : value);

    /// <summary>Three significant digits.</summary>
    public static string Significant(double value) => Minus(value.ToString("G3", CultureInfo.InvariantCulture));

    /// <summary>A share in [0,1] as per cent.</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#}\u00A0%");

    /// <summary>"1 image", "3 images".</summary>
    public static string Count(long number, string one, string? many = null)
        => string.Create(CultureInfo.InvariantCulture, $"{number} {(number == 1 ? one : many ?? one + "s")}");

    /// <summary>A whole number.</summary>
    public static string Integer(IFormattable number) => Minus(number.ToString("D", CultureInfo.InvariantCulture));

    /// <summary>"48 s", "3 min 20 s", "1 h 05 min".</summary>
    public static string Duration(double seconds) => seconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 3600 => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 60} min {(int)seconds % 60:00} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 3600} h {(int)seconds / 60 % 60:00} min"),
    };

    /// <summary>Standard deviation of a sample (n − 1); not a number below two values.</summary>
    public static double Deviation(IReadOnlyCollection<double> values)
    {
        if (values.Count < 2) return double.NaN;
        var mean = values.Average();
        return Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
    }

    private static string Minus(string text) => text.StartsWith('-') ? "−" + text[1..] : text;
}
