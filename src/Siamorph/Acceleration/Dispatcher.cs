using System.Runtime.InteropServices;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Calls any ATen operator by name through libtorch's exported C interface, for those that TorchSharp doesn't wrap.
/// The arguments are made with <see cref="Of(Tensor)"/> and its overloads, in the order of the operator's schema, every
/// one of them, defaults included. An argument is used up by the call.
/// </summary>
internal static unsafe class Dispatcher
{
    private static readonly Exports? Native = Exports.Find();

    /// <summary>Whether this libtorch has the interface; where not, every other member throws.</summary>
    public static bool IsAvailable => Native is not null;

    /// <summary>An absent optional argument.</summary>
    public static ulong None => 0;

    /// <summary>A tensor argument; the tensor stays the caller's.</summary>
    public static ulong Of(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        nint handle;
        Check(Required.NewTensorHandle(tensor.Handle, &handle), "aoti_torch_new_tensor_handle");
        GC.KeepAlive(tensor);
        return (ulong)handle;
    }

    /// <summary>A list of tensors; they stay the caller's.</summary>
    public static ulong Of(IReadOnlyList<Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var list = NewList(tensors.Count);
        foreach (var tensor in tensors) Push(list, Of(tensor));
        return (ulong)list;
    }

    /// <summary>A list of whole numbers, such as a shape.</summary>
    public static ulong Of(ReadOnlySpan<long> numbers)
    {
        var list = NewList(numbers.Length);
        foreach (var number in numbers) Push(list, Of(number));
        return (ulong)list;
    }

    /// <summary>A number of schema type <c>float</c>.</summary>
    public static ulong Of(double number) => BitConverter.DoubleToUInt64Bits(number);

    /// <summary>A number of schema type <c>int</c>.</summary>
    public static ulong Of(long number) => unchecked((ulong)number);

    /// <summary>A truth value.</summary>
    public static ulong Of(bool value) => value ? 1UL : 0UL;

    /// <summary>Calls <paramref name="operation"/>; its results replace the first elements of <paramref name="stack"/>.</summary>
    /// <param name="operation">Such as "aten::silu".</param>
    /// <param name="overload">Such as "Tensor" in "mul.Tensor"; empty where the operator has only one form.</param>
    /// <param name="stack">The arguments; at least as long as there are results.</param>
    /// <exception cref="InvalidOperationException">The operator does not exist or refused its arguments.</exception>
    public static void Call(string operation, string overload, Span<ulong> stack)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ArgumentNullException.ThrowIfNull(overload);
        fixed (byte* name = Zeroed(operation), form = Zeroed(overload))
        fixed (ulong* values = stack)
        {
            Check(Required.CallDispatcher(name, form, values), operation);
        }
    }

    /// <summary>Calls an operator that returns one tensor. The caller (or the dispose scope) owns it.</summary>
    /// <exception cref="InvalidOperationException">The operator does not exist or refused its arguments.</exception>
    public static Tensor CallForTensor(string operation, string overload, params Span<ulong> stack)
    {
        Call(operation, overload, stack);
        return Result(stack[0]);
    }

    /// <summary>The tensor that a call has left on its stack. The caller (or the dispose scope) owns it.</summary>
    public static Tensor Result(ulong value) => Tensor.UnsafeCreateTensor((nint)value);

    /// <summary>Where a tensor's first element lies, on whatever device; the tensor must outlive its use.</summary>
    public static nint AddressOf(Tensor tensor)
    {
        var handle = (nint)Of(tensor);
        nint address;
        try
        {
            Check(Required.DataPointer(handle, &address), "aoti_torch_get_data_ptr");
        }
        finally
        {
            _ = Required.DeleteTensorHandle(handle);
        }
        return address;
    }

    private static Exports Required => Native ?? throw new PlatformNotSupportedException("This libtorch exports no dispatcher.");

    private static nint NewList(int count)
    {
        nint list;
        Check(Required.NewList((nuint)count, &list), "torch_new_list_reserve_size");
        return list;
    }

    private static void Push(nint list, ulong element) => Check(Required.PushBack(list, element), "torch_list_push_back");

    private static byte[] Zeroed(string text) => Encoding.ASCII.GetBytes(text + "\0");

    private static void Check(int status, string operation)
    {
        if (status != 0) throw new InvalidOperationException($"{operation} failed; libtorch wrote why to standard error.");
    }

    private sealed class Exports
    {
        public required delegate* unmanaged[Cdecl]<byte*, byte*, ulong*, int> CallDispatcher { get; init; }
        public required delegate* unmanaged[Cdecl]<nint, nint*, int> NewTensorHandle { get; init; }
        public required delegate* unmanaged[Cdecl]<nuint, nint*, int> NewList { get; init; }
        public required delegate* unmanaged[Cdecl]<nint, ulong, int> PushBack { get; init; }
        public required delegate* unmanaged[Cdecl]<nint, nint*, int> DataPointer { get; init; }
        public required delegate* unmanaged[Cdecl]<nint, int> DeleteTensorHandle { get; init; }

        public static Exports? Find()
        {
            InitializeDeviceType(DeviceType.CPU); // loads libtorch, which is then found by its bare name
            if (!NativeLibrary.TryLoad(LibraryName, out var library)) return null;
            return NativeLibrary.TryGetExport(library, "aoti_torch_call_dispatcher", out var call)
                && NativeLibrary.TryGetExport(library, "aoti_torch_new_tensor_handle", out var handle)
                && NativeLibrary.TryGetExport(library, "torch_new_list_reserve_size", out var list)
                && NativeLibrary.TryGetExport(library, "torch_list_push_back", out var push)
                && NativeLibrary.TryGetExport(library, "aoti_torch_get_data_ptr", out var data)
                && NativeLibrary.TryGetExport(library, "aoti_torch_delete_tensor_object", out var delete)
                ? new Exports
                {
                    CallDispatcher = (delegate* unmanaged[Cdecl]<byte*, byte*, ulong*, int>)call,
                    NewTensorHandle = (delegate* unmanaged[Cdecl]<nint, nint*, int>)handle,
                    NewList = (delegate* unmanaged[Cdecl]<nuint, nint*, int>)list,
                    PushBack = (delegate* unmanaged[Cdecl]<nint, ulong, int>)push,
                    DataPointer = (delegate* unmanaged[Cdecl]<nint, nint*, int>)data,
                    DeleteTensorHandle = (delegate* unmanaged[Cdecl]<nint, int>)delete,
                }
                : null;
        }

        private static string LibraryName =>
            OperatingSystem.IsWindows() ? "torch_cpu.dll" : OperatingSystem.IsMacOS() ? "libtorch_cpu.dylib" : "libtorch_cpu.so";
    }
}
