namespace Siamorph.Study;

/// <summary>Who reads, as far as anyone needs to know.</summary>
internal sealed record ReaderProfile
{
    /// <summary>A pseudonym: small letters, digits and hyphens.</summary>
    public required string Reader { get; init; }

    /// <summary>The text that was agreed to, word for word as <see cref="ReadingSession.ConsentText"/> gave it.</summary>
    public required string Consent { get; init; }

    /// <summary>Such as "gastroenterology".</summary>
    public string Specialty { get; init; } = "";

    /// <summary>Years of experience; null where not told.</summary>
    public double? Years { get; init; }

    /// <summary>What the images are seen on.</summary>
    public ReaderDisplay Display { get; init; } = new();
}

/// <summary>The screen and the room.</summary>
internal sealed record ReaderDisplay
{
    /// <summary>Pixels across.</summary>
    public int Width { get; init; }

    /// <summary>Pixels down.</summary>
    public int Height { get; init; }

    /// <summary>Device pixels in a page's pixel.</summary>
    public double PixelRatio { get; init; } = 1;

    /// <summary>Zoom of the page; 1 is none.</summary>
    public double Zoom { get; init; } = 1;

    /// <summary>Light in the room, in the reader's words.</summary>
    public string RoomLight { get; init; } = "";

    /// <summary>Whether the darkest patch could be told from black; null where not asked.</summary>
    public bool? SeesNearBlack { get; init; }

    /// <summary>Whether the brightest patch could be told from white; null where not asked.</summary>
    public bool? SeesNearWhite { get; init; }
}

/// <summary>readers/R.json.</summary>
internal sealed record EnrolledReader(string Reader, DateTimeOffset ConsentedAt, string ConsentSha256, string Specialty,
    double? Years, ReaderDisplay Display);
