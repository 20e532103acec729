using System.Diagnostics;
using System.Globalization;
using System.Text;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Data.Splits;
using Siamorph.Experiment;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Siamese;
using Siamorph.Training;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Benchmarks;

/// <summary>
/// Damages files of every kind that the product reads, and opens them: an error that says what is wrong, or a right answer,
/// and never a crash, a hang, or gigabytes of memory. Case N of a kind is the same in every run.
/// <code>
/// Siamorph.Benchmarks mutate KIND FIRST COUNT FOLDER      KIND: all, or one of the kinds that it lists
/// </code>
/// </summary>
internal static class Mutations
{
    private const int Seconds = 10, KindsShown = 20;
    private const long MostMemory = 2L << 30;

    // How a kind's file is called, whole files of it, and what opening one does; false for a wrong answer.
    private sealed record Kind(string Name, string File, IReadOnlyList<byte[]> Whole, Func<string, byte[], byte[], bool> Open);

    public static int Run(string[] arguments)
    {
        if (arguments is not ["mutate", var name, var first, var count, var folder]) return Usage();
        Directory.CreateDirectory(folder);
        var kinds = Kinds(folder).Where(k => name == "all" || k.Name == name).ToList();
        if (kinds.Count == 0) return Usage();
        var faults = 0;
        foreach (var kind in kinds)
            faults += Run(kind, int.Parse(first, CultureInfo.InvariantCulture),
                int.Parse(count, CultureInfo.InvariantCulture) / kinds.Count, folder);
        return faults == 0 ? 0 : 1;
    }

    private static int Usage()
    {
        Console.Error.WriteLine("mutate KIND FIRST COUNT FOLDER");
        return 2;
    }

    private static int Run(Kind kind, int first, int count, string folder)
    {
        var clock = Stopwatch.StartNew();
        var (refused, read, faults) = (0, 0, new List<string>());
        var current = Path.Combine(folder, "current"); // which case it is, should the process end with it
        using var watch = new Watchdog(kind.Name);
        for (var i = first; i < first + count; i++)
        {
            var random = new Random(HashCode.Of(kind.Name, i));
            var whole = kind.Whole[random.Next(kind.Whole.Count)];
            var damaged = Damage(whole, kind.Whole[random.Next(kind.Whole.Count)], random);
            var path = Path.Combine(folder, kind.File);
            System.IO.File.WriteAllBytes(path, damaged);
            if (count == 1) System.IO.File.WriteAllBytes(Path.Combine(folder, "damaged"), damaged); // to be looked at
            if (i % 64 == 0) System.IO.File.WriteAllText(current, $"{kind.Name} {i}");
            watch.Begin(i);
            var before = GC.GetTotalAllocatedBytes();
            try
            {
                using var scope = NewDisposeScope();
                if (kind.Open(path, damaged, whole)) read++;
                else faults.Add($"{kind.Name} {i}: a damaged file was read, and the answer is wrong");
            }
            catch (SiamorphException)
            {
                refused++;
            }
            catch (Exception e)
            {
                var place = e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("Siamorph.", StringComparison.Ordinal));
                faults.Add($"{kind.Name} {i}: {e.GetType().Name}: {e.Message.Split('\n')[0]} {place?.Trim()}");
            }
            watch.End();
            if (GC.GetTotalAllocatedBytes() - before > MostMemory)
                faults.Add($"{kind.Name} {i}: took {(GC.GetTotalAllocatedBytes() - before) >> 20} MiB");
        }
        Console.WriteLine($"{kind.Name}: {count} cases from {first}: {refused} refused, {read} read, {faults.Count} faults, "
            + $"{clock.Elapsed.TotalSeconds:0} s");
        foreach (var fault in faults.Take(KindsShown)) Console.WriteLine($"  {fault}");
        return faults.Count;
    }

    // Bits, bytes, numbers that mean trouble, cuts, copies, and parts of another file of the kind.
    private static byte[] Damage(byte[] whole, byte[] other, Random random)
    {
        List<byte> bytes = [.. whole];
        for (var n = random.Next(1, 5); n > 0 && bytes.Count > 8; n--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 24), bytes.Count - at);
            switch (random.Next(9))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2:
                    var number = Numbers[random.Next(Numbers.Length)];
                    for (var i = 0; i < Math.Min(number.Length, bytes.Count - at); i++) bytes[at + i] = number[i];
                    break;
                case 3: bytes.RemoveRange(at, length); break;
                case 4: bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - length + 1), length)); break;
                case 5: bytes.RemoveRange(at, bytes.Count - at); break;
                case 6: bytes.InsertRange(at, Enumerable.Repeat((byte)random.Next(256), length)); break;
                case 7:
                    var part = other.AsSpan(random.Next(other.Length));
                    bytes.InsertRange(at, part[..Math.Min(length, part.Length)].ToArray());
                    break;
                default: bytes.InsertRange(at, Texts[random.Next(Texts.Length)]); break;
            }
        }
        return [.. bytes];
    }

    private static readonly string[] Tables =
        ["image,patient\na,1\nb,1\nc,2\n", "patient;file;note\n\"x; y\";a.png;\"two\nlines\"\n1;b;\n2;c;\"a \"\"q\"\"\"\n"];

    private static readonly string[] Parts = ["state.json", "manifest.json", "model.safetensors"];

    private static readonly byte[][] Numbers =
        [[0, 0, 0, 0], [255, 255, 255, 255], [127, 255, 255, 255], [255, 255, 255, 127], [128, 0, 0, 0], [0, 0, 0, 128],
        [0, 1, 0, 0], [255, 255], [0, 0, 0, 0, 0, 0, 0, 128], [1, 0, 0, 0, 0, 0, 0, 0]];

    private static readonly byte[][] Texts =
        [.. new[] { "\"", "{", "}", "[[[[[[[[", "null", "-1", "1e999", "9999999999999999999999", "\0", "\uFEFF", "\uD83D\uDE00",
        "\\u0000", ",,,", "\n", "\r", "../../..", "NaN", "\t;", "\\" }.Select(Encoding.UTF8.GetBytes)];

    private static IEnumerable<Kind> Kinds(string folder)
    {
        var size = new ImageSize(19, 13);
        int[] Level(int x, int y) => [x is > 4 and < 14 && y is > 3 and < 10 ? 1 : 0];
        int[] Colour(int x, int y) => [17 * x % 256, 29 * y % 256, 7 * (x + y) % 256];
        var image = Siamorph.Tests.Imaging.Pictures.Image(3, 19, 13);
        string In(string name) => Path.Combine(folder, name);

        List<byte[]> png = [ImageFile.EncodePng(image)];
        foreach (var interlaced in new[] { false, true })
        {
            foreach (var bits in new[] { 1, 2, 4, 8, 16 })
                png.Add(Siamorph.Tests.Imaging.StoredFiles.Png(size, (bits, 0), Level, interlaced));
            png.Add(Siamorph.Tests.Imaging.StoredFiles.Png(size, (16, 2), Colour, interlaced));
            png.Add(Siamorph.Tests.Imaging.StoredFiles.Png(size, (4, 3), Level, interlaced,
                Siamorph.Tests.Imaging.Pictures.Chunk("PLTE", [0, 0, 0, 9, 9, 9])));
        }
        yield return new("png", "a.png", png, Picture(exact: true));
        Siamorph.Tests.Imaging.Pictures.WriteJpeg(In("a.jpg"), image);
        yield return new("jpeg", "a.jpg", [System.IO.File.ReadAllBytes(In("a.jpg"))], Picture(exact: false));
        yield return new("webp", "a.webp", [Encoded(image, SkiaSharp.SKEncodedImageFormat.Webp)], Picture(exact: false));
        yield return new("bmp", "a.bmp",
            [Siamorph.Tests.Imaging.StoredFiles.Bmp(size, [0, 0, 0, 255, 255, 255], (x, y) => (byte)Level(x, y)[0])],
            Picture(exact: false));
        yield return new("gif", "a.gif",
            [Siamorph.Tests.Imaging.StoredFiles.Gif(size, [0, 0, 0, 255, 255, 255, 9, 9, 9, 8, 8, 8],
                (x, y) => (byte)Level(x, y)[0])], Picture(exact: false));
        var tiffs = new[] { new Siamorph.Tests.Imaging.TiffKind(8), new(16), new(1), new(32), new(8) { Tile = 16 }, new(16)
        {
            Tile = 16, Compression = BitMiracle.LibTiff.Classic.Compression.LZW,
        },
            new(32, BitMiracle.LibTiff.Classic.SampleFormat.IEEEFP), new(8)
            {
                Compression = BitMiracle.LibTiff.Classic.Compression.DEFLATE,
            }, new(8) { Compression = BitMiracle.LibTiff.Classic.Compression.PACKBITS } };
        yield return new("tiff", "a.tif", [.. tiffs.Select(k => Tiff(In("whole.tif"), size, k, (x, y) => [Level(x, y)[0]]))],
            Picture(exact: false));

        foreach (var (name, make) in Weights()) yield return new(name, $"w.{name}", [Written(In("whole"), make)], OpenWeights);
        var manifest = "{\"id\":\"a\",\"image\":\"a.png\",\"mask\":\"m.png\",\"split\":\"train\",\"group\":\"p1\",\"prompt\":\""
            + "polyp\"}\n{\"id\":\"b\",\"image\":\"a.png\",\"masks\":[\"m.png\",\"m.png\"],\"split\":\"val\",\"origin\":{\""
            + "modelHash\":\"x\",\"seed\":1,\"sampler\":\"ddim\",\"steps\":5,\"guidance\":2,\"sourceMask\":\"a\"}}\n";
        foreach (var (name, file, text) in new[]
        {
            ("manifest", "d/manifest.jsonl", manifest),
            ("prompts", "e/prompt.json", "{\"source\":\"m.png\",\"target\":\"a.png\",\"prompt\":\"polyp\"}\n"),
            ("prompt list", "e/prompt.json",
                "[{\"source\":\"m.png\",\"target\":\"a.png\",\"prompt\":\"polyp\"},{\"source\":\"m.png\",\"target\":\"a.png\"}]"),
            ("classes", "f/classes.json",
                "[{\"name\":\"background\",\"level\":0},{\"name\":\"polyp\",\"level\":1,\"colour\":\"#ff0000\"}]"),
        })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(In(file))!);
            foreach (var picture in new[] { "a.png", "m.png" })
                System.IO.File.WriteAllBytes(Path.Combine(Path.GetDirectoryName(In(file))!, picture), png[1]);
            yield return new(name, file, [Encoding.UTF8.GetBytes(text)],
                (path, _, _) => DatasetFolder.List(Path.GetDirectoryName(path)!).Summary().Length > 0);
        }
        var dataset = new Dataset(folder, [.. "abc".Select(c => new ImageMaskPair
        {
            Id = $"{c}", ImagePath = $"/x/{c}.png", MaskPath = "/x/m.png",
        })]);
        yield return new("groups", "groups.csv",
            [.. Tables.Select(Encoding.UTF8.GetBytes)],
            (path, _, _) => DatasetSplitter.WithGroups(dataset, path).Matched == 3);
        yield return new("options", "o.json",
            [.. new[] { OptionsFile.ToJson(Presets.Tiny), OptionsFile.ToJson(new SegmentationOptions()),
                OptionsFile.ToJson(new ExperimentOptions { Data = "x" }) }.Select(Encoding.UTF8.GetBytes)],
            (path, _, whole) =>
            {
                if (whole.AsSpan().IndexOf("\"realCounts\""u8) >= 0) OptionsFile.Load<ExperimentOptions>(path).Validate();
                else if (whole.AsSpan().IndexOf("\"backboneRate\""u8) >= 0)
                    OptionsFile.Load<SegmentationOptions>(path).Validate();
                else OptionsFile.Load<TrainOptions>(path).Validate();
                return true;
            });
        foreach (var part in Parts) yield return CheckpointPart(folder, part);
    }

    // Levels of a PNG are held by its checksums: what is read is what was stored.
    private static Func<string, byte[], byte[], bool> Picture(bool exact) => (path, damaged, whole) =>
    {
        GreyImage? mask = null;
        SiamorphException? refused = null;
        foreach (var read in new Action[]
        {
            () => mask = ImageFile.ReadMaskLevels(path), () => ImageFile.ReadRgb(path), () => ImageFile.Identify(path), () =>
                IntensityRange.OfSet([path]),
        })
        {
            try
            {
                read();
            }
            catch (SiamorphException e)
            {
                refused = e;
            }
        }
        if (mask is null) throw refused!;
        if (mask.Levels.Length != mask.Size.Width * mask.Size.Height
            || (long)mask.Size.Width * mask.Size.Height > ImageFile.MaxPixels) return false;
        if (!exact) return true;
        System.IO.File.WriteAllBytes(path, whole);
        var right = ImageFile.ReadMaskLevels(path);
        return damaged.AsSpan().SequenceEqual(whole)
            || (right.Size == mask.Size && right.Levels.AsSpan().SequenceEqual(mask.Levels)) || IsOtherFile(damaged, whole);
    };

    // A whole file may come out of two: then it is read, and rightly.
    private static bool IsOtherFile(byte[] damaged, byte[] whole) => damaged.Length > whole.Length
        && damaged.AsSpan().IndexOf("IEND"u8) < whole.Length - 16;

    private static bool OpenWeights(string path, byte[] damaged, byte[] whole)
    {
        using var file = WeightsFile.Open(path);
        foreach (var entry in file.Entries)
        {
            using var tensor = entry.Read();
            if (!tensor.shape.SequenceEqual(entry.Shape)) return false;
        }
        return true;
    }

    private static IEnumerable<(string Name, Action<string> Write)> Weights()
    {
        var tensors = new Dictionary<string, Tensor>
        {
            ["a.weight"] = arange(12, dtype: float32).view(3, 4).DetachFromDisposeScope(),
            ["b"] = arange(5, dtype: int64).DetachFromDisposeScope(), ["h"] = ones(3, dtype: float16).DetachFromDisposeScope(),
        };
        var table = WeightTable.Of(tensors);
        yield return ("safetensors", path => SafeTensors.Write(path, table));
        yield return ("zip", path => Siamorph.Tests.Weights.TorchFileWriter.WriteZip(path, table));
        yield return ("legacy", path => Siamorph.Tests.Weights.TorchFileWriter.WriteLegacy(path, table));
    }

    private static Kind CheckpointPart(string folder, string part)
    {
        var run = Path.Combine(folder, $"run-{part}");
        var step = new RunFolder(run).Checkpoint(3);
        if (!Directory.Exists(step))
            Checkpoint.Save(step, new Dictionary<string, WeightTable>
            {
                ["model"] = WeightTable.Of(new Dictionary<string, Tensor> { ["w"] = ones(4).DetachFromDisposeScope() }),
            }, new() { ["step"] = 3, ["stage"] = "base" });
        var path = Path.Combine(step, part);
        return new($"checkpoint {part}", Path.GetRelativePath(folder, path), [System.IO.File.ReadAllBytes(path)],
            (_, damaged, whole) =>
        {
            using var loaded = Checkpoint.Load(step);
            // The manifest holds the hash of every other file.
            return part == "manifest.json" || damaged.AsSpan().SequenceEqual(whole);
        });
    }

    private static byte[] Encoded(RgbImage image, SkiaSharp.SKEncodedImageFormat format)
    {
        using var bitmap = SkiaSharp.SKBitmap.Decode(ImageFile.EncodePng(image));
        using var data = bitmap.Encode(format, 90);
        return data.ToArray();
    }

    private static byte[] Tiff(string path, ImageSize size, Siamorph.Tests.Imaging.TiffKind kind, Func<int, int, double[]> sample)
    {
        Siamorph.Tests.Imaging.StoredFiles.Tiff(path, size, kind, sample);
        return System.IO.File.ReadAllBytes(path);
    }

    private static byte[] Written(string path, Action<string> write)
    {
        write(path);
        return System.IO.File.ReadAllBytes(path);
    }

    private static class HashCode
    {
        public static int Of(string name, int number) =>
            (int)(name.Aggregate(2166136261u, (h, c) => (h ^ c) * 16777619) ^ (uint)(number * 2654435761u));
    }

    // Says which case does not end, and ends the process.
    private sealed class Watchdog : IDisposable
    {
        private readonly Timer _timer;
        private long _begun = long.MaxValue;
        private int _case;

        public Watchdog(string kind) => _timer = new(_ =>
        {
            if (Stopwatch.GetTimestamp() - Interlocked.Read(ref _begun) < Seconds * Stopwatch.Frequency) return;
            Console.WriteLine($"{kind} {_case}: not done after {Seconds} s");
            Environment.Exit(3);
        }, null, 1000, 1000);

        public void Begin(int number)
        {
            _case = number;
            Interlocked.Exchange(ref _begun, Stopwatch.GetTimestamp());
        }

        public void End() => Interlocked.Exchange(ref _begun, long.MaxValue / 2);

        public void Dispose() => _timer.Dispose();
    }
}
