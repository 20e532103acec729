using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Siamorph.Cli;

/// <summary>Help texts for flags: the summaries in the documentation file that lies beside the library.</summary>
internal static partial class DocumentationSummary
{
    private static readonly Lazy<Dictionary<string, string>> Summaries = new(Read);

    /// <summary>The first sentence of the property's summary, or nothing where there is none.</summary>
    public static string Property(PropertyInfo property)
    {
        var text = Summaries.Value.GetValueOrDefault(
            $"P:{property.DeclaringType!.FullName!.Replace('+', '.')}.{property.Name}", "");
        var end = text.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? text : text[..(end + 1)];
    }

    private static Dictionary<string, string> Read()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Siamorph.xml");
        try
        {
            return XDocument.Load(path).Descendants("member")
                .Where(m => m.Element("summary") is not null)
                .ToDictionary(m => m.Attribute("name")!.Value, m => Plain(m.Element("summary")!));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or XmlException)
        {
            return []; // help without texts is still help
        }
    }

    private static string Plain(XElement summary)
    {
        var parts = summary.Nodes().Select(n => n switch
        {
            XText text => text.Value,
            XElement e when e.Attribute("cref") is { } cref => cref.Value[(cref.Value.LastIndexOfAny(['.', ':']) + 1)..],
            XElement e => e.Value,
            _ => "",
        });
        return Blanks().Replace(string.Concat(parts), " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
