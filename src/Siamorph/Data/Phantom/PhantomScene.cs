namespace Siamorph.Data.Phantom;

// All that is drawn by lot for one image, before any pixel: the same scene at every size.
internal sealed record PhantomScene
{
    internal required PhantomDevice Device { get; init; }

    internal required int Case { get; init; }

    internal required Seed Seed { get; init; }

    // Centre of the lumen in units; beyond 1 it lies outside the image and a wall is seen.
    internal required (float X, float Y) Lumen { get; init; }

    // Radius of the lumen at which the wall is as far as the lamp reaches.
    internal required float Bore { get; init; }

    internal required float FoldRate { get; init; }

    internal required float FoldHeight { get; init; }

    // Reflectance of the mucosa.
    internal required (float Red, float Green, float Blue) Mucosa { get; init; }

    internal required float Vessels { get; init; }

    internal required float Wetness { get; init; }

    internal required float Exposure { get; init; }

    // Where the lamp sits beside the lens, in units.
    internal required (float X, float Y) Lamp { get; init; }

    internal required float Residue { get; init; }

    internal required IReadOnlyList<PhantomLesion> Lesions { get; init; }

    internal static PhantomScene Draw(PhantomOptions options, int index)
    {
        var seed = options.Seed.Derive("phantom");
        var @case = index / options.FramesPerCase;
        var patient = seed.Derive("case").Derive(@case).Random();
        var drawn = patient.Next(options.Devices);
        var device = PhantomDevice.All[options.OnlyDevice ?? drawn];
        var tone = patient.NextDouble();
        var mucosa = ((float)patient.Uniform(0.8, 1), (float)(0.25 + 0.26 * tone),
            (float)(0.12 + 0.29 * tone + patient.Uniform(-0.04, 0.04)));
        var vessels = (float)patient.Uniform(0.2, 1);
        var image = seed.Derive("image").Derive(index);
        var random = image.Random();
        var (angle, wall) = (random.Uniform(0, 2 * Math.PI), random.Chance(0.42));
        var distance = wall ? random.Uniform(1.1, 1.7) : random.Uniform(0.15, 0.85);
        return new PhantomScene
        {
            Device = device,
            Case = @case,
            Seed = image,
            Lumen = ((float)(distance * Math.Cos(angle)), (float)(distance * Math.Sin(angle))),
            Bore = (float)random.Uniform(0.22, 0.55),
            FoldRate = (float)random.Uniform(1.3, 2.4),
            FoldHeight = (float)(random.Uniform(0.7, 1.5) * (wall ? 0.75 : 1)),
            Mucosa = mucosa,
            Vessels = (float)(vessels * random.Uniform(0.4, 1)),
            Wetness = (float)random.Uniform(0.4, 1),
            Exposure = (float)random.Uniform(0.95, 1.7),
            Lamp = ((float)random.Uniform(-0.45, 0.45), (float)random.Uniform(-0.5, 0.1)),
            Residue = random.Chance(0.15) ? (float)random.Uniform(0.3, 1) : 0,
            Lesions = [.. Enumerable.Range(0, random.Chance(0.06) ? 2 : 1)
                .Select(n => PhantomLesion.Draw(image.Derive("lesion").Derive(n)))],
        };
    }
}
