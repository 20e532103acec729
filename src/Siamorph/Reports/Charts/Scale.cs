using System.Globalization;

namespace Siamorph.Reports.Charts;

/// <summary>Maps values to positions along one axis of a chart, and chooses round numbers to label it with.</summary>
internal sealed class Scale
{
    private const int MostDecades = 6; // with a label each

    private readonly double _low, _high, _from, _to;
    private readonly bool _logarithmic;

    private Scale(double low, double high, double from, double to, bool logarithmic)
    {
        (_low, _high, _from, _to, _logarithmic) = (low, high, from, to, logarithmic);
        Ticks = logarithmic ? LogTicks(Math.Pow(10, low), Math.Pow(10, high)) : LinearTicks(low, high, to - from);
    }

    /// <summary>
    /// A linear axis over exactly [low, high], drawn from <paramref name="from"/> to <paramref name="to"/> pixels.
    /// </summary>
    public static Scale Linear(double low, double high, double from, double to)
        => new(low, high > low ? high : low + 1, from, to, logarithmic: false);

    /// <summary>A linear axis widened to round numbers.</summary>
    public static Scale Rounded(double low, double high, double from, double to)
    {
        if (!(high > low)) (low, high) = (low - 0.5, high + 0.5);
        var step = NiceStep((high - low) / Wanted(to - from));
        return new(Math.Floor(low / step + 1e-9) * step, Math.Ceiling(high / step - 1e-9) * step, from, to, logarithmic: false);
    }

    /// <summary>A logarithmic axis; both ends must be positive.</summary>
    public static Scale Logarithmic(double low, double high, double from, double to)
    {
        var (a, b) = (Math.Log10(low), Math.Log10(high));
        return b - a < 0.05 ? new(a - 0.1, b + 0.1, from, to, true) : new(a - 0.03 * (b - a), b + 0.03 * (b - a), from, to, true);
    }

    /// <summary>Values to label, in order.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>Pixel position of a value, kept inside the axis.</summary>
    public double At(double value)
    {
        var v = _logarithmic ? Math.Log10(Math.Max(value, 1e-300)) : value;
        var share = Math.Clamp((v - _low) / (_high - _low), 0, 1);
        return _from + share * (_to - _from);
    }

    /// <summary>The label of a tick, with no more decimals than the ticks need.</summary>
    public string Label(double tick)
    {
        if (_logarithmic) return Ticks.Any(t => t is < 0.000999 or > 99_999) ? Power(tick)
            : tick.ToString("0.####", CultureInfo.InvariantCulture);
        var step = Ticks.Count > 1 ? Ticks[1] - Ticks[0] : 1;
        var decimals = 0;
        while (decimals < 6 && Math.Abs(step - Math.Round(step, decimals)) > 1e-9 * step) decimals++;
        var text = Math.Round(tick, decimals)
            .ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return text.StartsWith('-') ? (double.Parse(text, CultureInfo.InvariantCulture) == 0 ? text[1..]
            : "−" + text[1..]) : text;
    }

    // Upwards (to negative pixels) labels need less room than across.
    private static double Wanted(double pixels) => Math.Clamp(pixels < 0 ? -pixels / 42 : pixels / 62, 2, 8);

    private static List<double> LinearTicks(double low, double high, double pixels)
    {
        var step = NiceStep((high - low) / Wanted(pixels));
        var ticks = new List<double>();
        for (var i = (long)Math.Ceiling(low / step - 1e-9); i * step <= high + step * 1e-9; i++) ticks.Add(i * step);
        return ticks;
    }

    private static List<double> LogTicks(double low, double high)
    {
        var decades = (int)Math.Ceiling(Math.Log10(high / low));
        var every = (decades + MostDecades - 1) / MostDecades;
        double[] leads = high / low > 300 ? [1] : high / low > 30 ? [1, 3] : high / low > 4 ? [1, 2, 5]
            : [1, 1.5, 2, 3, 4, 5, 6, 8];
        var ticks = new List<double>();
        for (var power = (int)Math.Floor(Math.Log10(low)); power <= Math.Log10(high); power++)
        {
            if (power % every != 0) continue;
            foreach (var lead in leads)
            {
                var tick = double.Parse(FormattableString.Invariant($"{lead}E{power}"), CultureInfo.InvariantCulture);
                if (tick >= low * 0.9999 && tick <= high * 1.0001) ticks.Add(tick);
            }
        }
        return ticks;
    }

    // 0.00003 as 3×10⁻⁵: narrow, and easier to count than zeros.
    private static string Power(double value)
    {
        var power = (int)Math.Floor(Math.Log10(value) + 1e-9);
        var lead = Math.Round(value / Math.Pow(10, power), 3);
        var raised = string.Concat(power.ToString(CultureInfo.InvariantCulture)
            .Select(c => c == '-' ? '⁻' : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c - '0']));
        return lead == 1 ? $"10{raised}" : $"{lead.ToString(CultureInfo.InvariantCulture)}×10{raised}";
    }

    private static double NiceStep(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var lead = rough / power;
        return power * (lead <= 1.0001 ? 1 : lead <= 2.0001 ? 2 : lead <= 5.0001 ? 5 : 10);
    }
}
