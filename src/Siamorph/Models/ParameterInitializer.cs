using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models;

/// <summary>
/// First weights that depend on a seed and on each parameter's name alone: uniform within ±1/√fan-in (libtorch's own
/// range for convolutions and linears), norms 1 and 0, and zero where the method begins with nothing: ends of residual
/// paths, zero-convolutions, the head.
/// </summary>
internal static class ParameterInitializer
{
    private static readonly string[] ZeroEndings =
        ["proj_out", "out_layers.3", "out.2", "middle_block_out.0", "input_hint_block.1"];

    /// <summary>Sets every parameter of a UNet or ControlNet in place.</summary>
    public static void Initialize(Module module, Seed seed)
    {
        ArgumentNullException.ThrowIfNull(module);
        using var noGrad = no_grad();
        foreach (var (name, child) in module.named_modules().Where(m => IsLeaf(m.module)))
            foreach (var (kind, parameter) in child.named_parameters())
                Set(child, name, kind, parameter, seed.Derive($"{name}.{kind}"));
    }

    private static bool IsLeaf(Module module) => module is TorchSharp.Modules.Linear or TorchSharp.Modules.Conv2d
        || IsNorm(module);

    private static bool IsNorm(Module module) => module is TorchSharp.Modules.GroupNorm or TorchSharp.Modules.LayerNorm;

    private static void Set(Module module, string name, string kind, Parameter parameter, Seed seed)
    {
        if (IsNorm(module)) parameter.fill_(kind == "weight" ? 1 : 0);
        else if (BeginsAtZero(name)) parameter.zero_();
        else
        {
            var weight = module.get_parameter("weight")!;
            var bound = 1 / Math.Sqrt(weight.numel() / (double)weight.shape[0]);
            using var scope = NewDisposeScope();
            using var generator = seed.Generator();
            parameter.copy_(rand(parameter.shape, generator: generator) * (2 * bound) - bound);
        }
    }

    private static bool BeginsAtZero(string name) =>
        name.Contains("zero_convs.", StringComparison.Ordinal)
        || ZeroEndings.Any(e => name.EndsWith(e, StringComparison.Ordinal));
}
