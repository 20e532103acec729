using System.Globalization;

namespace Siamorph.Studio;

/// <summary>Numbers as people read them.</summary>
internal static class DisplayText
{
    /// <summary>Such as "3 min", "2 h 10 min" or "12 s".</summary>
    public static string Duration(double seconds) => seconds switch
    {
        < 90 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 5400 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(seconds / 3600)} h {seconds / 60 % 60:0} min"),
    };

    /// <summary>Such as "today 14:05" or "2026-11-26 14:05", in local time.</summary>
    public static string When(DateTime utc)
    {
        var local = utc.ToLocalTime();
        var day = local.Date == DateTime.Today ? "today" : local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return $"{day} {local.ToString("HH:mm", CultureInfo.InvariantCulture)}";
    }

    /// <summary>Such as "12 GB".</summary>
    public static string Size(long bytes) => bytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MB");
}
