using System.Runtime.InteropServices;

namespace Siamorph.Acceleration;

/// <summary>Floats outside the managed heap, aligned to a cache line, with undefined content at first.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    public NativeBuffer(nint length)
    {
        Length = length;
        Data = (float*)NativeMemory.AlignedAlloc((nuint)length * sizeof(float), 64);
    }

    ~NativeBuffer() => Free();

    public nint Length { get; }

    public float* Data { get; private set; }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(Data);
        Data = null;
    }
}
