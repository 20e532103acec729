using System.CommandLine;
using System.CommandLine.Invocation;
using System.Runtime.Intrinsics.X86;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`--version`: the version; with `--verbose` also what a report of a fault has to say about the machine.</summary>
internal sealed class VersionFacts : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true; // no verb is needed

    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        if (!parseResult.GetValue(Verb.Verbose))
        {
            output.WriteLine(Lines().First().Value);
            return 0;
        }
        foreach (var (name, value) in Lines()) output.WriteLine($"{name,-12}{value}");
        return 0;
    }

    private static IEnumerable<(string Name, string Value)> Lines()
    {
        var here = new Lazy<RunEnvironment>(RunEnvironment.Here);
        yield return ("siamorph", RunEnvironment.SiamorphVersion);
        yield return ("TorchSharp", here.Value.TorchSharp);
        yield return ("libtorch", here.Value.LibTorch);
        yield return (".NET", here.Value.DotNet);
        yield return ("system", $"{here.Value.OperatingSystem}, {here.Value.Architecture}");
        yield return ("processor",
            $"{here.Value.Processor ?? "unknown"}, {here.Value.Cores} cores, {here.Value.MemoryMiB} MiB of memory");
        yield return ("vectors", string.Join(", ", VectorSets()));
        yield return ("kernels", here.Value.Kernels ? "own (AVX2)" : "libtorch's");
        yield return ("CUDA", here.Value.Cuda ? "available" : "not available");
    }

    private static IEnumerable<string> VectorSets()
    {
        var sets = new[] { ("AVX", Avx.IsSupported), ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported),
            ("AVX-512", Avx512F.IsSupported) };
        return sets.Any(s => s.Item2) ? sets.Where(s => s.Item2).Select(s => s.Item1) : ["none of AVX, AVX2, FMA, AVX-512"];
    }
}
