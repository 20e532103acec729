using TorchSharp.Modules;
using static Siamorph.Segmentation.Networks.Operators;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>
/// Polyp-PVT's similarity aggregation: pixels are gathered in a few nodes at the places that the detail map marks, the
/// nodes reason over each other, and what they find goes back to the pixels.
/// </summary>
internal sealed class SimilarityAggregation : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv_state, conv_proj;
    private readonly GraphReasoning gcn;
    private readonly Conv2d conv_extend;
    private readonly int _side, _states;

    public SimilarityAggregation(int channels, int states, int side) : base(nameof(SimilarityAggregation))
    {
        (_side, _states) = (side, states);
        conv_state = nn.Conv2d(channels, states, 1);
        conv_proj = nn.Conv2d(channels, states, 1);
        gcn = new(states, side * side);
        conv_extend = nn.Conv2d(states, channels, 1, bias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => throw new NotSupportedException("The module needs a detail map.");

    public Tensor Guide(Tensor x, Tensor detail)
    {
        using var scope = NewDisposeScope();
        var gate = Narrow(Softmax(NearestTo(detail, x), 1), 1, 1, 1);
        var states = Reshape(Run(conv_state, x), _states, -1);
        var projected = Run(conv_proj, x);
        var pooled = AverageTo(Multiply(projected, gate), _side + 2, _side + 2);
        var anchors = Reshape(Narrow(Narrow(pooled, 2, 1, _side), 3, 1, _side), _states, -1);
        // Each pixel's share in each node, [B, nodes, pixels].
        var shares = Softmax(MatMul(Permute(anchors, 0, 2, 1), Reshape(projected, _states, -1)), 1);
        var nodes = gcn.forward(MatMul(states, Permute(shares, 0, 2, 1)));
        var back = Reshape(MatMul(nodes, shares), _states, x.shape[2], x.shape[3]);
        return Add(x, Run(conv_extend, back)).MoveToOuterDisposeScope();
    }
}

/// <summary>One step of graph convolution on [B, states, nodes]: over the nodes, then over the states.</summary>
internal sealed class GraphReasoning : nn.Module<Tensor, Tensor>
{
    private readonly Conv1d conv1, conv2;

    public GraphReasoning(int states, int nodes) : base(nameof(GraphReasoning))
    {
        conv1 = nn.Conv1d(nodes, nodes, 1L);
        conv2 = nn.Conv1d(states, states, 1L, bias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var mixed = Permute(Run(conv1, Permute(input, 0, 2, 1)), 0, 2, 1);
        return Relu(Run(conv2, Subtract(mixed, input))).MoveToOuterDisposeScope();
    }
}
