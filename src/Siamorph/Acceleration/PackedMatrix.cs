using System.Runtime.InteropServices;

namespace Siamorph.Acceleration;

/// <summary>
/// The right-hand matrix of a product, K × N, laid out once for the kernel: panels of 16 columns, in each panel row after row,
/// the last panel filled with zeros.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    internal const int PanelWidth = 16;

    /// <summary>
    /// Packs <paramref name="source"/>, where element (k, n) is at k·<paramref name="strideK"/> + n·<paramref name="strideN"/>.
    /// </summary>
    public PackedMatrix(float* source, int rows, int columns, nint strideK, nint strideN)
    {
        Rows = rows;
        Columns = columns;
        Data = (float*)NativeMemory.AlignedAlloc((nuint)Panels * (nuint)rows * PanelWidth * sizeof(float), 64);
        Pack(source, strideK, strideN, rows, columns, Data);
    }

    /// <summary>K.</summary>
    public int Rows { get; }

    /// <summary>N.</summary>
    public int Columns { get; }

    /// <summary>Panels of 16 columns.</summary>
    public int Panels => PanelsOf(Columns);

    internal float* Data { get; private set; }

    internal static int PanelsOf(int columns) => (columns + PanelWidth - 1) / PanelWidth;

    internal static void Pack(float* source, nint strideK, nint strideN, int rows, int columns, float* target)
    {
        for (var n0 = 0; n0 < columns; n0 += PanelWidth)
        {
            var width = Math.Min(PanelWidth, columns - n0);
            for (var k = 0; k < rows; k++, target += PanelWidth)
            {
                var row = source + k * strideK + n0 * strideN;
                for (var n = 0; n < width; n++) target[n] = row[n * strideN];
                for (var n = width; n < PanelWidth; n++) target[n] = 0;
            }
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Data);
        Data = null;
        GC.SuppressFinalize(this);
    }

    ~PackedMatrix() => Dispose();
}
