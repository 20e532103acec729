using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph;

/// <summary>Where tensors are computed with.</summary>
public enum ComputeDevice
{
    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>A CUDA graphics card: the first one, or that of this rank.</summary>
    Cuda,
}

/// <summary>The type that networks keep their weights and activations in.</summary>
public enum Precision
{
    /// <summary>32 bits.</summary>
    Full,

    /// <summary>16 bits with float32's range; trained weights are kept in float32 beside.</summary>
    BFloat16,

    /// <summary>16 bits with more digits and less range; as above, and losses are scaled while training.</summary>
    Float16,
}

/// <summary>Where networks are, and in which type.</summary>
/// <param name="Device">Such as cpu.</param>
/// <param name="Type">Of weights and activations.</param>
public record Placement(Device Device, ScalarType Type)
{
    /// <summary>Finds the device.</summary>
    /// <exception cref="InvalidOptionsException">It isn't there, or can't compute with that type.</exception>
    public static Placement Of(ComputeDevice device, Precision precision) => Of(device, precision, localRank: 0);

    /// <summary>The same for one of several processes of a machine, each with a card of its own.</summary>
    /// <exception cref="InvalidOptionsException">It isn't there, or can't compute with that type.</exception>
    internal static Placement Of(ComputeDevice device, Precision precision, int localRank)
    {
        if (device == ComputeDevice.Cuda && !cuda_is_available())
            throw new InvalidOptionsException(
                "device cuda: none can be used here. It needs an NVIDIA card with its driver, and a build with -p:Torch=cuda.");
        // Otherwise convolutions would keep 10 bits of their float32 (TF32), and results would leave the processor's by a
        // thousandth.
        if (device == ComputeDevice.Cuda)
            backends.cudnn.allow_tf32 = backends.cuda.matmul.allow_tf32 = precision != Precision.Full;
        return new(device == ComputeDevice.Cuda ? new Device(DeviceType.CUDA, CardOf(localRank, cuda.device_count()))
            : CPU, precision switch
        {
            Precision.BFloat16 => ScalarType.BFloat16,
            Precision.Float16 => ScalarType.Float16,
            _ => ScalarType.Float32,
        });
    }

    /// <summary>
    /// Wakes the graphics card where any of these is one. libtorch makes its threads for gradients at the first backward pass,
    /// one for each device that is awake by then: a card that comes later never gets one. So this comes before all training.
    /// </summary>
    /// <exception cref="InvalidOptionsException">The device isn't there.</exception>
    internal static void Wake(params ReadOnlySpan<ComputeDevice> devices)
    {
        if (devices.Contains(ComputeDevice.Cuda)) On(ComputeDevice.Cuda);
    }

    /// <summary>Which graphics card a process takes.</summary>
    /// <param name="localRank">Its number on its machine, from 0.</param>
    /// <param name="cards">How many cards it sees.</param>
    /// <exception cref="InvalidOptionsException">There are more processes than cards.</exception>
    internal static int CardOf(int localRank, int cards) => localRank < cards ? localRank : throw new InvalidOptionsException(
        $"Rank {localRank} of this machine has no graphics card: there are {cards}. Start at most as many ranks a machine as it "
        + "has cards.");

    /// <summary>float32 on a device: for all networks but the generator's.</summary>
    /// <exception cref="InvalidOptionsException">The device isn't there.</exception>
    public static Placement On(ComputeDevice device) => Of(device, Precision.Full);

    /// <summary>Moves a network there. To be done before optimizers and averages are made: parameters are replaced.</summary>
    public virtual void Move(nn.Module network)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (Device.type != DeviceType.CPU || Type != ScalarType.Float32) network.to(Device, Type);
    }

    /// <summary>
    /// The tensor there and, where it holds floating numbers, in that type; itself (as a new handle) where nothing is to be done.
    /// </summary>
    public virtual Tensor Put(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.is_floating_point() ? tensor.to(Type, Device) : tensor.to(Device);
    }
}
