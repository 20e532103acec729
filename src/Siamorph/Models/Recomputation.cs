using Siamorph.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Models;

/// <summary>
/// Activation checkpointing (arXiv 1604.06174): of a part of a network only the inputs are kept for the backward pass, which
/// then computes the part again. Losses and gradients stay the same; a forward pass more is the price.
/// </summary>
internal static class Recomputation
{
    /// <summary>What a part of a network computes, without keeping what happens inside.</summary>
    /// <param name="wanted">False, or no gradient asked for: just runs it.</param>
    /// <param name="weights">Of the part; those that need no gradient don't matter. Constants where
    /// <see cref="FastConvolution.ConstantWeights"/> holds.</param>
    /// <param name="forward">The computation; must give the same each time.</param>
    /// <param name="inputs">All that it reads beside the weights.</param>
    public static Tensor Run(bool wanted, Func<IEnumerable<Parameter>> weights, Func<IReadOnlyList<Tensor>, Tensor> forward,
        params Tensor[] inputs)
    {
        if (!wanted || !is_grad_enabled()) return forward(inputs);
        Parameter[] parameters = FastConvolution.WeightsAreConstant ? [] : [.. weights().Where(p => p.requires_grad)];
        if (parameters.Length == 0 && !inputs.Any(t => t.requires_grad)) return forward(inputs);
        return Function.apply([new Call(forward, parameters, [.. inputs.Select(t => t.requires_grad)]), .. inputs,
            .. parameters]);
    }

    private sealed record Call(Func<IReadOnlyList<Tensor>, Tensor> Forward, Parameter[] Parameters, bool[] Needs);

    private sealed class Function : Differentiable<Function>
    {
        public override string Name => nameof(Recomputation);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            using var grad = no_grad();
            using var scope = NewDisposeScope();
            var call = (Call)vars[0];
            var inputs = vars.Skip(1).Take(call.Needs.Length).Cast<Tensor>().ToList();
            ctx.save_data("call", call);
            ctx.save_for_backward(inputs);
            return call.Forward(inputs).MoveToOuterDisposeScope();
        }

        protected override IEnumerable<Tensor?> Gradients(autograd.AutogradContext ctx, Tensor gradient)
        {
            var call = (Call)ctx.get_data("call");
            using var grad = enable_grad();
            var inputs = ctx.get_saved_variables().Select((t, i) => t.detach().requires_grad_(call.Needs[i])).ToList();
            using var constant = call.Parameters.Length == 0 ? FastConvolution.ConstantWeights() : null;
            var result = call.Forward(inputs);
            List<Tensor> wanted = [.. inputs.Where(t => t.requires_grad), .. call.Parameters];
            var gradients = new Queue<Tensor>(autograd.grad([result], wanted, [gradient]));
            return
            [
                null,
                .. inputs.Select(t => t.requires_grad ? gradients.Dequeue() : null),
                .. call.Parameters.Select(_ => gradients.Dequeue()),
            ];
        }
    }
}
