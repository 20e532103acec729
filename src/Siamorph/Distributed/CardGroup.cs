using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Distributed;

/// <summary>
/// Ranks whose tensors may lie on graphics cards: sums go from card to card where NCCL is there, and through the processors'
/// memory where not. NCCL is believed only after a first sum that is the other way's to the bit.
/// </summary>
internal sealed class CardGroup : IProcessGroup, IDisposable
{
    private const int ProbeLength = 1000;

    private readonly IProcessGroup _host;
    private readonly Func<INccl?> _open;
    private readonly Action<string> _tell;
    private readonly Func<Tensor, bool> _isOnCard;
    private INcclRing? _ring;
    private bool _tried;

    /// <param name="host">The same ranks, by their processors.</param>
    /// <param name="open">Opens NCCL, once, when the first tensor on a card comes; gives null where it is not there.</param>
    /// <param name="tell">Told by rank 0 which way sums go.</param>
    /// <param name="isOnCard">Whether a tensor lies on a graphics card; null asks it.</param>
    public CardGroup(IProcessGroup host, Func<INccl?> open, Action<string> tell, Func<Tensor, bool>? isOnCard = null) =>
        (_host, _open, _tell, _isOnCard) = (host, open, tell, isOnCard ?? (t => t.device_type == DeviceType.CUDA));

    public int Rank => _host.Rank;

    public int Size => _host.Size;

    public int LocalRank => _host.LocalRank;

    public void Barrier() => _host.Barrier();

    public void Sum(Span<double> values) => _host.Sum(values);

    public void Max(Span<double> values) => _host.Max(values);

    public void Sum(Tensor tensor)
    {
        if (Size == 1 || !_isOnCard(tensor))
        {
            _host.Sum(tensor);
            return;
        }
        if (!_tried) Connect(tensor.device);
        if (_ring is null) _host.Sum(tensor);
        else Sum(_ring, tensor);
    }

    /// <summary>Leaves the ring; the ranks stay.</summary>
    public void Dispose() => _ring?.Dispose();

    // In float32 as by the processors, so that the result does not depend on the way.
    private static void Sum(INcclRing ring, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var flat = tensor.dtype == ScalarType.Float32 && tensor.is_contiguous() ? tensor : tensor.to(float32).contiguous();
        ring.Sum(flat);
        if (!ReferenceEquals(flat, tensor)) tensor.copy_(flat);
    }

    // All ranks go the same way: each step is agreed on before the next.
    private void Connect(Device device)
    {
        _tried = true;
        var nccl = _open();
        if (_host.Any(nccl is null)) Tell("NCCL is not there");
        else if (Join(nccl!, device) is not { } ring) Tell("NCCL could not join the cards");
        else if (_host.Any(!IsRight(ring, device)))
        {
            ring.Dispose();
            Tell("NCCL's first sum was wrong");
        }
        else
        {
            _ring = ring;
            if (Rank == 0) _tell("Gradients are summed from card to card, by NCCL.");
        }
    }

    private INcclRing? Join(INccl nccl, Device device)
    {
        var id = new double[128]; // a rank that adds zeros receives what rank 0 has
        if (Rank == 0) id = [.. nccl.NewId().Select(b => (double)b)];
        _host.Sum(id);
        INcclRing? ring = null;
        try
        {
            ring = nccl.Join(Size, [.. id.Select(d => (byte)d)], Rank, Math.Max(0, device.index));
        }
        catch (SiamorphException e)
        {
            _tell(e.Message);
        }
        if (!_host.Any(ring is null)) return ring;
        ring?.Dispose();
        return null;
    }

    // Numbers with all their digits, different on every rank; the order in which more than two are added is not laid down.
    private bool IsRight(INcclRing ring, Device device)
    {
        using var scope = NewDisposeScope();
        var own = arange(1, ProbeLength + 1, float32).div(3 + Rank);
        var (byCards, byHost) = (own.to(device).clone(), own.clone());
        _host.Sum(byHost);
        try
        {
            ring.Sum(byCards);
        }
        catch (SiamorphException)
        {
            return false;
        }
        var difference = (byCards.cpu() - byHost).abs().div(byHost).max().item<float>();
        return Size == 2 ? difference == 0 : difference < 1e-6f * Size;
    }

    private void Tell(string why)
    {
        if (Rank == 0)
            _tell($"{why}: gradients are summed through the processors' memory, which is slower and gives the same.");
    }
}
