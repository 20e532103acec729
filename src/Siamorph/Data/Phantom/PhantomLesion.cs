namespace Siamorph.Data.Phantom;

// How a lesion grows out of the wall.
internal enum PhantomLesionKind
{
    Sessile,
    Lobulated,
    Pedunculated,
    Flat,
}

// A lesion before it is put into an image: its outline as an implicit function of the plane (negative inside), and what
// its surface is like. Sizes are relative to the lesion's own unit radius.
internal sealed class PhantomLesion
{
    private readonly List<Lobe> _lobes = [];
    private readonly Noise _warp;
    private readonly float _roughness;

    private PhantomLesion(Seed seed)
    {
        var random = seed.Random();
        _warp = new Noise(random.NextBits());
        Kind = random.NextDouble() switch
        {
            < 0.42 => PhantomLesionKind.Sessile,
            < 0.62 => PhantomLesionKind.Lobulated,
            < 0.80 => PhantomLesionKind.Pedunculated,
            _ => PhantomLesionKind.Flat,
        };
        var flat = Kind == PhantomLesionKind.Flat;
        _roughness = (float)random.Uniform(0.05, flat ? 0.26 : 0.15);
        AreaFraction = Math.Clamp(0.104 * Math.Exp(0.776 * random.Normal()), 0.008, 0.55);
        Contrast = (float)(flat ? random.Uniform(0.12, 0.7) : random.Uniform(0.3, 1));
        Relief = (float)(flat ? random.Uniform(0.10, 0.22) : Kind == PhantomLesionKind.Sessile ? random.Uniform(0.4, 0.8)
            : random.Uniform(0.6, 0.95));
        Texture = (float)random.Uniform(0.05, 0.8);
        Cellular = random.Chance(0.5);
        var (redder, paler) = (random.Uniform(-0.05, 0.12), random.Uniform(-0.16, 0.26));
        Tint = ((float)(1 + redder), (float)(1 + paler), (float)(1 + paler * 0.8 + random.Uniform(-0.1, 0.1)));
        var (radius, turn) = (0.62 * Math.Sqrt(random.NextDouble()), random.Uniform(0, 2 * Math.PI));
        Place = ((float)(radius * Math.Cos(turn)), (float)(radius * Math.Sin(turn)));
        MakeLobes(random);
        Reach = _lobes.Max(l => l.Reach) + 1.5f * _roughness;
    }

    internal PhantomLesionKind Kind { get; }

    // Wanted share of the image, distributed as in colonoscopy sets.
    internal double AreaFraction { get; }

    // 0 looks like the wall, 1 unlike it.
    internal float Contrast { get; }

    // Height over the wall, in inscribed radii.
    internal float Relief { get; }

    internal float Texture { get; }

    // Pits as cells, else as winding grooves.
    internal bool Cellular { get; }

    // Reflectance over that of the wall.
    internal (float Red, float Green, float Blue) Tint { get; }

    internal (float X, float Y) Place { get; }

    // No point of the lesion is farther from its centre.
    internal float Reach { get; }

    internal static PhantomLesion Draw(Seed seed) => new(seed);

    // Negative inside the outline.
    internal float Outline(float x, float y)
    {
        var (wx, wy) = (x + _roughness * 1.3f * _warp.At(1.7f * x, 1.7f * y), y
            + _roughness * 1.3f * _warp.At(1.7f * x + 31, 1.7f * y));
        wx += 0.35f * _roughness * _warp.At(5f * x + 7, 5f * y);
        wy += 0.35f * _roughness * _warp.At(5f * x, 5f * y + 57);
        var distance = float.MaxValue;
        foreach (var lobe in _lobes)
        {
            var other = lobe.Distance(wx, wy);
            var h = Math.Clamp(0.5f + 0.5f * (distance - other) / 0.14f, 0, 1);
            distance = distance > 1e6f ? other : distance + (other - distance) * h - 0.14f * h * (1 - h);
        }
        return distance;
    }

    // The bulge of the single lobes, 0…1: what makes a lobulated lesion a cluster.
    internal float Bulge(float x, float y)
    {
        var highest = 0f;
        foreach (var lobe in _lobes) highest = MathF.Max(highest, lobe.Bulge(x, y));
        return highest;
    }

    private void MakeLobes(SeededRandom random)
    {
        switch (Kind)
        {
            case PhantomLesionKind.Lobulated:
                var count = 2 + random.Next(4);
                var turn = random.Uniform(0, 2 * Math.PI);
                for (var i = 0; i < count; i++)
                {
                    var angle = turn + 2 * Math.PI * i / count + random.Uniform(-0.4, 0.4);
                    var away = random.Uniform(0.35, 0.75);
                    _lobes.Add(new Lobe(random, (float)(away * Math.Cos(angle)), (float)(away * Math.Sin(angle)),
                        (float)random.Uniform(0.4, 0.75), 0.8f, _roughness));
                }
                break;
            case PhantomLesionKind.Pedunculated:
                _lobes.Add(new Lobe(random, 0, 0, 1, 0.7f, _roughness));
                var (direction, bend, thick) =
                    (random.Uniform(0, 2 * Math.PI), random.Uniform(-0.5, 0.5), random.Uniform(0.26, 0.42));
                var (x, y) = (0.0, 0.0);
                var length = random.Uniform(1.1, 1.8);
                for (var s = 0; s < 6; s++)
                {
                    (x, y) = (x + length / 6 * Math.Cos(direction), y + length / 6 * Math.Sin(direction));
                    direction += bend / 3;
                    _lobes.Add(new Lobe(random, (float)x, (float)y, (float)(thick * (1 + 0.12 * (s - 2) * (s - 2) / 4)), 1, 0.02f)
                    {
                        IsStalk = true,
                    });
                }
                break;
            default:
                _lobes.Add(new Lobe(random, 0, 0, 1, Kind == PhantomLesionKind.Flat ? 0.5f : 0.62f, _roughness));
                break;
        }
    }

    // A rounded blob: an ellipse whose radius varies with the direction.
    private sealed class Lobe
    {
        private const int Directions = 256;
        private readonly float[] _radius = new float[Directions + 1];
        private readonly float _x, _y, _cos, _sin, _squeeze;

        internal Lobe(SeededRandom random, float x, float y, float radius, float minSqueeze, float roughness)
        {
            var turn = random.Uniform(0, 2 * Math.PI);
            (_x, _y, _cos, _sin) = (x, y, (float)Math.Cos(turn), (float)Math.Sin(turn));
            _squeeze = (float)random.Uniform(minSqueeze, 1);
            Array.Fill(_radius, radius);
            for (var k = 2; k <= 6; k++)
            {
                var (amplitude, phase) = (radius * roughness * random.Normal() * 3.2 / (k * k), random.Uniform(0, 2 * Math.PI));
                for (var i = 0; i <= Directions; i++)
                    _radius[i] += (float)(amplitude * Math.Cos(k * 2 * Math.PI * i / Directions + phase));
            }
            for (var i = 0; i <= Directions; i++) _radius[i] = MathF.Max(_radius[i], 0.3f * radius);
        }

        internal float Reach => MathF.Sqrt(_x * _x + _y * _y) + _radius.Max() / _squeeze;

        internal bool IsStalk { get; init; }

        internal float Distance(float x, float y)
        {
            var (length, radius) = Polar(x, y);
            return length - radius;
        }

        internal float Bulge(float x, float y)
        {
            var (length, radius) = Polar(x, y);
            var share = 1 - length * length / (radius * radius);
            return share <= 0 ? 0 : MathF.Sqrt(share) * (IsStalk ? 0.35f : MathF.Min(1, radius * 1.3f));
        }

        private (float Length, float Radius) Polar(float x, float y)
        {
            var (dx, dy) = (x - _x, y - _y);
            var (a, b) = ((dx * _cos + dy * _sin) * _squeeze, (dy * _cos - dx * _sin) / _squeeze);
            var at = (MathF.Atan2(b, a) / (2 * MathF.PI) + 0.5f) * Directions;
            var i = Math.Min((int)at, Directions - 1);
            return (MathF.Sqrt(a * a + b * b), _radius[i] + (_radius[i + 1] - _radius[i]) * (at - i));
        }
    }
}
