using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models.Text;

/// <summary>One layer of CLIP's text model: attention and feed-forward, each on a LayerNorm and added to its input.</summary>
internal sealed class ClipTextLayer : Module
{
    private readonly TextAttention self_attn;
    private readonly LayerNorm layer_norm1;
    private readonly TextFeedForward mlp;
    private readonly LayerNorm layer_norm2;

    public ClipTextLayer(ClipTextConfig config) : base(nameof(ClipTextLayer))
    {
        (self_attn, mlp) = (new(config.Width, config.Heads), new(config.Width, config.FeedForwardWidth));
        (layer_norm1, layer_norm2) = (NewLayer.LayerNorm(config.Width), NewLayer.LayerNorm(config.Width));
        RegisterComponents();
    }

    /// <param name="x">[B,L,D].</param>
    /// <param name="mask">[L,L], added to the scores.</param>
    public Tensor Forward(Tensor x, Tensor mask)
    {
        using var scope = NewDisposeScope();
        var h = x + self_attn.Forward(layer_norm1.call(x), mask);
        return (h + mlp.Forward(layer_norm2.call(h))).MoveToOuterDisposeScope();
    }

    private sealed class TextAttention : Module
    {
        private readonly Linear k_proj;
        private readonly Linear v_proj;
        private readonly Linear q_proj;
        private readonly Linear out_proj;
        private readonly int _heads;

        public TextAttention(int width, int heads) : base(nameof(TextAttention))
        {
            _heads = heads;
            (k_proj, v_proj, q_proj, out_proj) =
                (NewLayer.Linear(width, width), NewLayer.Linear(width, width), NewLayer.Linear(width, width),
                NewLayer.Linear(width, width));
            RegisterComponents();
        }

        public Tensor Forward(Tensor x, Tensor mask)
        {
            using var scope = NewDisposeScope();
            Tensor Heads(Linear projection) => projection.call(x).view(x.shape[0], x.shape[1], _heads, -1).transpose(1, 2);
            var (q, k, v) = (Heads(q_proj), Heads(k_proj), Heads(v_proj));
            var scale = (float)(1 / Math.Sqrt(q.shape[3]));
            var seen = functional.softmax(matmul(q * scale, k.transpose(2, 3)) + mask, dim: -1);
            return out_proj.call(matmul(seen, v).transpose(1, 2).reshape(x.shape)).MoveToOuterDisposeScope();
        }
    }

    private sealed class TextFeedForward : Module
    {
        private const float Steepness = 1.702f; // quick GELU: x·sigmoid(1.702 x)
        private readonly Linear fc1;
        private readonly Linear fc2;

        public TextFeedForward(int width, int inner) : base(nameof(TextFeedForward))
        {
            (fc1, fc2) = (NewLayer.Linear(width, inner), NewLayer.Linear(inner, width));
            RegisterComponents();
        }

        public Tensor Forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var h = fc1.call(x);
            return fc2.call(h * (h * Steepness).sigmoid()).MoveToOuterDisposeScope();
        }
    }
}
