namespace Siamorph.Data.Phantom;

// Shape of the lit part of the image.
internal enum PhantomFrame
{
    Octagon,
    Round,
    Rounded,
}

// An endoscope: its frame, its colours and its faults.
internal sealed record PhantomDevice(string Name, PhantomFrame Frame)
{
    internal static readonly PhantomDevice[] All =
    [
        new("a", PhantomFrame.Octagon) { Gain = (1.04f, 0.98f, 0.92f), Sharpening = 0.9f, Noise = 0.012f, Contrast = 0.35f },
        new("b", PhantomFrame.Round)
        {
            Gain = (1.00f, 0.93f, 1.02f), Blur = 0.008f, Noise = 0.022f, Contrast = 0.5f, Fringe = 0.006f,
        },
        new("c", PhantomFrame.Rounded)
        {
            Gain = (1.0f, 1.03f, 0.86f), Blur = 0.011f, Noise = 0.016f, Contrast = 0.15f, Saturation = 0.88f,
        },
        new("d", PhantomFrame.Octagon)
        {
            Gain = (0.98f, 1.00f, 1.06f), Sharpening = 0.4f, Noise = 0.03f, Contrast = 0.25f, Saturation = 0.9f,
        },
    ];

    internal const int Count = 4;

    internal (float Red, float Green, float Blue) Gain { get; init; } = (1, 1, 1);

    // Sigma of the lens in units.
    internal float Blur { get; init; } = 0.004f;

    // Share of the detail that the processor adds again.
    internal float Sharpening { get; init; }

    internal float Noise { get; init; }

    // Weight of the S curve.
    internal float Contrast { get; init; }

    internal float Saturation { get; init; } = 1;

    // How far red and blue part towards the border, in units.
    internal float Fringe { get; init; }

    // Distance to the border of the lit part, positive inside, in units, on an image of the given half extents.
    internal float Inside(float x, float y, float halfWidth, float halfHeight)
    {
        var (ax, ay) = (halfWidth - MathF.Abs(x), halfHeight - MathF.Abs(y));
        return Frame switch
        {
            PhantomFrame.Octagon => MathF.Min(MathF.Min(ax, ay) - 0.012f, (ax + ay) * 0.7071f - 0.23f),
            PhantomFrame.Round => MathF.Min(1.13f * MathF.Max(halfWidth, halfHeight) - MathF.Sqrt(x * x + y * y),
                MathF.Min(ax, ay) + 0.02f),
            _ => Rounded(ax, ay),
        };
    }

    private static float Rounded(float ax, float ay)
    {
        const float radius = 0.28f;
        var (cx, cy) = (MathF.Max(0, radius - ax), MathF.Max(0, radius - ay));
        return radius - MathF.Sqrt(cx * cx + cy * cy) + MathF.Min(0, MathF.Min(ax, ay));
    }
}
