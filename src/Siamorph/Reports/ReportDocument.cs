using Siamorph.Reports.Charts;

namespace Siamorph.Reports;

/// <summary>
/// A report as plain records, which <see cref="HtmlReport"/> and <see cref="MarkdownReport"/> write. All text is plain text.
/// </summary>
internal sealed record ReportDocument
{
    /// <summary>The question, as a heading.</summary>
    public required string Title { get; init; }

    /// <summary>A short line above the title: what, when, which data.</summary>
    public string Overline { get; init; } = "";

    /// <summary>The answer, in sentences, first thing on the page.</summary>
    public required IReadOnlyList<string> Answer { get; init; }

    /// <summary>The few numbers that matter, shown large.</summary>
    public IReadOnlyList<KeyFigure> KeyFigures { get; init; } = [];

    /// <summary>Everything else, in order.</summary>
    public required IReadOnlyList<Section> Sections { get; init; }

    /// <summary>A closing line: product, version.</summary>
    public string Footer { get; init; } = "";
}

/// <summary>A large number with its meaning.</summary>
/// <param name="Label">What it is.</param>
/// <param name="Value">The number as text.</param>
/// <param name="Note">What to know about it, such as its interval.</param>
/// <param name="Tone">Whether it speaks for, against or neither.</param>
internal sealed record KeyFigure(string Label, string Value, string Note, Tone Tone = Tone.Neutral);

/// <summary>How a statement is coloured.</summary>
internal enum Tone
{
    /// <summary>Says nothing for or against.</summary>
    Neutral,

    /// <summary>Better.</summary>
    Good,

    /// <summary>Worse, or to be looked at.</summary>
    Bad,
}

/// <summary>A part of the report under a heading.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Blocks">What stands under it.</param>
internal sealed record Section(string Title, IReadOnlyList<Block> Blocks);

/// <summary>A piece of a section.</summary>
internal abstract record Block;

/// <summary>A paragraph of plain text.</summary>
/// <param name="Text">The text.</param>
/// <param name="Tone">Colours it as a notice unless neutral.</param>
internal sealed record Paragraph(string Text, Tone Tone = Tone.Neutral) : Block;

/// <summary>A paragraph that is a link.</summary>
/// <param name="Text">What is read.</param>
/// <param name="Target">A file, or an address that begins with http.</param>
internal sealed record Link(string Text, string Target) : Block
{
    /// <summary>The target as an address; a colon is no scheme unless it is http's.</summary>
    internal string Address => Target.StartsWith("http://", StringComparison.Ordinal)
        || Target.StartsWith("https://", StringComparison.Ordinal)
        ? Target : string.Join('/', Target.Replace('\\', '/').Split('/').Select(Uri.EscapeDataString));
}

/// <summary>A list of short statements.</summary>
/// <param name="Items">The statements.</param>
internal sealed record BulletList(IReadOnlyList<string> Items) : Block;

/// <summary>Rows under headings. Cells after the first column that look like numbers are set flush right.</summary>
/// <param name="Headings">One for each column.</param>
/// <param name="Rows">As many cells as headings in each.</param>
internal sealed record Table(IReadOnlyList<string> Headings, IReadOnlyList<IReadOnlyList<string>> Rows) : Block
{
    /// <summary>A line under the table.</summary>
    public string Note { get; init; } = "";
}

/// <summary>A chart with its caption; its numbers follow as a folded table.</summary>
/// <param name="Chart">The image.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Caption">How to read it.</param>
/// <param name="Wide">Takes the whole width instead of half of it.</param>
internal sealed record Figure(Chart Chart, string Title, string Caption, bool Wide = false) : Block;

/// <summary>Small images side by side, each with outlines that a reader can switch off.</summary>
/// <param name="Title">What they are.</param>
/// <param name="Caption">How to read them.</param>
/// <param name="Tiles">The images.</param>
internal sealed record ImageSheet(string Title, string Caption, IReadOnlyList<ImageTile> Tiles) : Block
{
    /// <summary>Images in a row, where rows and columns mean something; 0 for as many as there is room for.</summary>
    public int Columns { get; init; }
}

/// <summary>One image of a sheet.</summary>
/// <param name="Name">Stands under it and is read aloud.</param>
/// <param name="Png">The image as a PNG file.</param>
/// <param name="Size">Its width and height in pixels.</param>
/// <param name="Outlines">Masks to outline on it, each with its colour number; of the image's size.</param>
internal sealed record ImageTile(
    string Name, byte[] Png, Imaging.ImageSize Size, IReadOnlyList<(Imaging.LabelMap Mask, int Colour)> Outlines);

/// <summary>Blocks folded away under a title.</summary>
/// <param name="Title">What is inside.</param>
/// <param name="Blocks">The content.</param>
internal sealed record CollapsedSection(string Title, IReadOnlyList<Block> Blocks) : Block;
