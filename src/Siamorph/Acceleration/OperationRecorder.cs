using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Tells the open <see cref="StepProfile"/> of each operation of libtorch while it runs, those of backward passes included:
/// libtorch calls back at the beginning and the end of every one. Only its 64-bit builds for Linux on x64 let us ask for that;
/// elsewhere a profile knows the operations of our own alone.
/// </summary>
internal sealed unsafe partial class OperationRecorder : IDisposable
{
    private const string AddCallback = "_ZN2at17addGlobalCallbackENS_22RecordFunctionCallbackE";
    private const string RemoveCallback = "_ZN2at14removeCallbackEm";
    private const string Name = "_ZNK2at14RecordFunction4nameEv";
    private static readonly string[] Needed = [AddCallback, RemoveCallback, Name];
    private readonly ulong _handle;

    private OperationRecorder(ulong handle) => _handle = handle;

    /// <summary>Begins to listen; null where libtorch can't be listened to.</summary>
    public static OperationRecorder? TryOpen()
    {
        InitializeDeviceType(TorchSharp.DeviceType.CPU); // loads libtorch
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) return null;
        if (!NativeLibrary.TryLoad("torch_cpu", typeof(OperationRecorder).Assembly, null, out var library)
            || !Needed.All(name => NativeLibrary.TryGetExport(library, name, out _))) return null;
        var callback = new Callback { Start = &Start, End = &End, Probability = 1 };
        callback.Scopes[0] = 1; // operations; neither backward nodes nor kernels within
        return new(Add(callback));
    }

    /// <summary>Listens no more.</summary>
    public void Dispose() => Remove(_handle);

    // A function that returns an object with a destructor is given the place for it as its first argument.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint* Start(nint* context, nint function)
    {
        *context = 0;
        if (StepProfile.IsOpen) StepProfile.Enter(OperationNames.GroupOf((byte*)NameOf(function)));
        return context;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void End(nint function, nint context) => StepProfile.Leave();

    // at::RecordFunctionCallback, which is passed by value.
    [StructLayout(LayoutKind.Sequential)]
    private struct Callback
    {
        public delegate* unmanaged[Cdecl]<nint*, nint, nint*> Start;
        public delegate* unmanaged[Cdecl]<nint, nint, void> End;
        public double Probability;
        public ScopeFlags Scopes;
        public byte NeedsInputs, NeedsOutputs, NeedsIds;
    }

    [InlineArray(10)]
    private struct ScopeFlags
    {
        private byte _first;
    }

    [LibraryImport("torch_cpu", EntryPoint = AddCallback)]
    private static partial ulong Add(Callback callback);

    [LibraryImport("torch_cpu", EntryPoint = RemoveCallback)]
    private static partial void Remove(ulong handle);

    [LibraryImport("torch_cpu", EntryPoint = Name)]
    private static partial nint NameOf(nint function);
}

/// <summary>Which line of a profile an operation of libtorch belongs to.</summary>
internal static unsafe class OperationNames
{
    private static readonly Dictionary<string, string> Known = [];

    // The first that is part of the name decides.
    private static readonly (string Part, string Group)[] Groups =
    [
        ("rand", "random numbers"), ("normal_", "random numbers"),
        ("convolution_backward", "libtorch's convolution, backward"), ("conv", "libtorch's convolution, forward"),
        ("norm_backward", "libtorch's norms, backward"), ("vector_norm", "sums and norms of tensors"),
        ("norm", "libtorch's norms, forward"),
        ("attention", "libtorch's attention"), ("softmax", "libtorch's attention"), ("adam", "optimizer"),
        ("linear", "matrix products"), ("mm", "matrix products"), ("matmul", "matrix products"),
        ("empty", StepProfile.Allocation), ("new_zeros", StepProfile.Allocation), ("resize_", StepProfile.Allocation),
        ("zero", StepProfile.Allocation), ("ones", StepProfile.Allocation), ("full", StepProfile.Allocation),
        ("fill_", StepProfile.Allocation),
        ("copy", StepProfile.Copies), ("clone", StepProfile.Copies), ("contiguous", StepProfile.Copies),
        ("::cat", StepProfile.Copies), ("stack", StepProfile.Copies), ("::to", StepProfile.Copies), ("pad", StepProfile.Copies),
        ("index", StepProfile.Copies), ("upsample", "upsampling"), ("interpolate", "upsampling"),
        ("sum", "sums and norms of tensors"), ("mean", "sums and norms of tensors"),
        ("silu", "activations"), ("gelu", "activations"), ("sigmoid", "activations"),
        ("::add", "sums and products, number by number"), ("::mul", "sums and products, number by number"),
        ("::sub", "sums and products, number by number"),
        ("::div", "sums and products, number by number"),
    ];

    /// <summary>
    /// The line of an operation such as "aten::addmm"; null for a step of the backward pass, which is what runs within it.
    /// </summary>
    public static string? GroupOf(byte* name)
    {
        var text = Marshal.PtrToStringUTF8((nint)name) ?? "";
        if (text.StartsWith("autograd::", StringComparison.Ordinal)) return null;
        lock (Known)
        {
            if (Known.TryGetValue(text, out var group)) return group;
            return Known[text] = Groups.FirstOrDefault(g => text.Contains(g.Part, StringComparison.Ordinal)).Group
                ?? "views and other small operations";
        }
    }
}
