using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Siamorph.Benchmarks;

switch (args)
{
    case ["weights", ..]: return FullSizeWeights.Run(args);
    case ["networks", ..]: return FullSizeNetworks.Run(args);
    case ["features", ..]: return FeatureRates.Run(args);
    case ["kernels", ..]: return KernelTable.Run(args);
    case ["mutate", ..]: return Mutations.Run(args);
    case ["masks", ..]: return MaskRates.Run(args);
    case ["studio", ..]: return StudioRates.Run(args);
}

// In this process: the native libraries lie beside this executable, not beside one that would be generated.
var job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, DefaultConfig.Instance.AddJob(job));
return 0;
