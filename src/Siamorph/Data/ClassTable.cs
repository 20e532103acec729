using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Siamorph.Imaging;

namespace Siamorph.Data;

/// <summary>One class of a mask.</summary>
/// <param name="Name">Such as "polyp".</param>
/// <param name="Level">The grey level that mask files hold for it, 0 to 255.</param>
/// <param name="Colour">As "#rrggbb", for overlays and for the hint a generator is shown; null for one of the built-in
/// colours.</param>
public sealed record MaskClass(string Name, byte Level, string? Colour = null);

/// <summary>
/// The classes of a dataset's masks: <c>classes.json</c> in its folder, a list such as
/// <c>[{"name":"background","level":0},{"name":"polyp","level":1,"colour":"#ff0000"}]</c>. A class's number is its place in
/// the list; the first is the background.
/// </summary>
public sealed class ClassTable
{
    /// <summary>The file in a dataset folder.</summary>
    public const string FileName = "classes.json";

    private const int Most = 64;
    private static readonly (byte, byte, byte)[] Palette =
        [(255, 255, 255), (255, 80, 80), (80, 160, 255), (255, 220, 60), (90, 230, 120), (220, 110, 255), (255, 150, 50),
        (60, 230, 230)];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly int[] _numbers = new int[256];
    private readonly (byte, byte, byte)[] _colours;

    /// <summary>Makes a table.</summary>
    /// <exception cref="InvalidDatasetException">There are fewer than two classes or more than 64, or a name, level or colour
    /// can't be used.</exception>
    public ClassTable(IReadOnlyList<MaskClass> classes, string source = FileName)
    {
        ArgumentNullException.ThrowIfNull(classes);
        if (classes.Count is < 2 or > Most)
            throw new InvalidDatasetException(
                $"{source}: has {classes.Count} classes. Give the background and 1 to {Most - 1} others.");
        Array.Fill(_numbers, -1);
        for (var i = 0; i < classes.Count; i++)
        {
            if (string.IsNullOrWhiteSpace(classes[i].Name))
                throw new InvalidDatasetException($"{source}: class {i} has no name. Add one.");
            if (_numbers[classes[i].Level] >= 0)
                throw new InvalidDatasetException(
                    $"{source}: '{classes[i].Name}' and '{classes[_numbers[classes[i].Level]].Name}' share level "
                        + $"{classes[i].Level}. Give each its own.");
            _numbers[classes[i].Level] = i;
        }
        if (classes.GroupBy(c => c.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InvalidDatasetException($"{source}: '{twice.Key}' comes twice. Give each class its own name.");
        Classes = classes;
        _colours = [.. classes.Select((c, i) => c.Colour is { } text ? Parse(text, source) : i == 0 ? ((byte)0, (byte)0, (byte)0)
            : Palette[(i - 1) % Palette.Length])];
    }

    /// <summary>The classes; the background first.</summary>
    public IReadOnlyList<MaskClass> Classes { get; }

    /// <summary>How many there are, with the background.</summary>
    public int Count => Classes.Count;

    /// <summary>Red, green and blue of a class, 0 to 255.</summary>
    public (byte Red, byte Green, byte Blue) Colour(int number) => _colours[number];

    /// <summary>Class numbers of the levels that a mask file holds.</summary>
    /// <param name="levels">The file's grey levels.</param>
    /// <param name="path">To name in errors.</param>
    /// <exception cref="InvalidDatasetException">A level is not in the table.</exception>
    public LabelMap Labels(GreyImage levels, string path)
    {
        ArgumentNullException.ThrowIfNull(levels);
        var labels = new byte[levels.Levels.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            var number = _numbers[levels.Levels[i]];
            if (number < 0 || levels.Largest > byte.MaxValue)
            {
                var known = string.Join(", ", Classes.Select(c => $"{c.Level} {c.Name}"));
                throw new InvalidDatasetException(
                    levels.Largest > byte.MaxValue
                        ? $"{path}: holds numbers up to {levels.Largest}, and levels of classes end at 255 ({known}). Save it "
                        + $"with the levels of {FileName}."
                        : $"{path}: level {levels.Levels[i]} at ({i % levels.Size.Width}, {i / levels.Size.Width}) is in no "
                        + $"class ({known}). Add it to {FileName} or mend the mask.");
            }
            labels[i] = (byte)number;
        }
        return new LabelMap(levels.Size, labels);
    }

    /// <summary>The levels that a file holds for class numbers.</summary>
    public GreyImage Levels(LabelMap labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return new(labels.Size, Array.ConvertAll(labels.Labels, l => Classes[l].Level), Lossless: true);
    }

    /// <summary>The table of a folder, or null where it has none.</summary>
    /// <exception cref="InvalidDatasetException">The file is damaged or can't be used.</exception>
    public static ClassTable? TryRead(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return File.Exists(path) ? FromJson(File.ReadAllText(path), path) : null;
    }

    /// <summary>The table from the text of a file.</summary>
    /// <exception cref="InvalidDatasetException">The text can't be used.</exception>
    public static ClassTable FromJson(string text, string source)
    {
        try
        {
            return new(JsonSerializer.Deserialize<List<MaskClass>>(text, Json) ?? [], source);
        }
        catch (JsonException e)
        {
            throw new InvalidDatasetException(
                $"{source}: not a list of classes ({e.Message.Split(" Path:")[0].TrimEnd('.')}). Write "
                    + $"[{{\"name\":\"background\",\"level\":0}}, …].", e);
        }
    }

    /// <summary>The table as text for a file.</summary>
    public string ToJson() => JsonSerializer.Serialize(Classes, Json);

    private static (byte, byte, byte) Parse(string text, string source)
    {
        if (text.Length == 7 && text[0] == '#'
            && int.TryParse(text.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var rgb))
            return ((byte)(rgb >> 16), (byte)(rgb >> 8), (byte)rgb);
        throw new InvalidDatasetException($"{source}: colour '{text}' is not written as #rrggbb.");
    }
}
