using System.Buffers.Binary;

namespace Siamorph.Imaging.Formats;

// Rows of a PNG: filters undone, samples unpacked, passes of an interlaced file put in their places.
internal static class PngPixels
{
    // Adam7: first column and row of each pass, and the steps between its pixels.
    private static readonly (int X, int Y, int Right, int Down)[] Passes =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    internal static uint[] Read(Stream inflated, PngReader.PngLayout layout)
    {
        var samples = new uint[checked(layout.Size.Width * layout.Size.Height * layout.Channels)];
        if (layout.Interlaced)
            foreach (var pass in Passes) ReadPass(inflated, layout, pass, samples);
        else ReadPass(inflated, layout, (0, 0, 1, 1), samples);
        if (inflated.ReadByte() >= 0) throw new InvalidDataException("More data than pixels."); // reading on also checks the sum
        return samples;
    }

    private static void ReadPass(Stream inflated, PngReader.PngLayout layout, (int X, int Y, int Right, int Down) pass,
        uint[] samples)
    {
        var columns = (layout.Size.Width - pass.X + pass.Right - 1) / pass.Right;
        if (columns <= 0) return;
        var (row, above) = (new byte[layout.Stride(columns)], new byte[layout.Stride(columns)]);
        var step = Math.Max(1, layout.Channels * layout.Bits / 8);
        var unpacked = new uint[columns * layout.Channels];
        for (var y = pass.Y; y < layout.Size.Height; y += pass.Down)
        {
            var filter = inflated.ReadByte();
            inflated.ReadExactly(row);
            Unfilter(filter, row, above, step);
            Unpack(row, layout.Bits, unpacked);
            var to = (y * layout.Size.Width + pass.X) * layout.Channels;
            if (pass.Right == 1) unpacked.CopyTo(samples.AsSpan(to));
            else
                for (var x = 0; x < columns; x++)
                    unpacked.AsSpan(x * layout.Channels, layout.Channels)
                        .CopyTo(samples.AsSpan(to + x * pass.Right * layout.Channels));
            (row, above) = (above, row);
        }
    }

    private static void Unpack(byte[] row, int bits, uint[] samples)
    {
        if (bits == 16)
            for (var i = 0; i < samples.Length; i++) samples[i] = BinaryPrimitives.ReadUInt16BigEndian(row.AsSpan(2 * i));
        else if (bits == 8)
            for (var i = 0; i < samples.Length; i++) samples[i] = row[i];
        else
            for (int i = 0, mask = (1 << bits) - 1; i < samples.Length; i++)
                samples[i] = (uint)(row[i * bits / 8] >> (8 - bits - i * bits % 8) & mask);
    }

    private static void Unfilter(int filter, byte[] row, byte[] above, int step)
    {
        switch (filter)
        {
            case 0: break;
            case 1:
                for (var i = step; i < row.Length; i++) row[i] += row[i - step];
                break;
            case 2:
                for (var i = 0; i < row.Length; i++) row[i] += above[i];
                break;
            case 3:
                for (var i = 0; i < row.Length; i++) row[i] += (byte)(((i >= step ? row[i - step] : 0) + above[i]) / 2);
                break;
            case 4:
                for (var i = 0; i < row.Length; i++)
                    row[i] += (byte)(i >= step ? Paeth(row[i - step], above[i], above[i - step]) : above[i]);
                break;
            default: throw new InvalidDataException("Unknown PNG filter.");
        }
    }

    private static int Paeth(int left, int up, int corner)
    {
        var estimate = left + up - corner;
        int dl = Math.Abs(estimate - left), du = Math.Abs(estimate - up), dc = Math.Abs(estimate - corner);
        return dl <= du && dl <= dc ? left : du <= dc ? up : corner;
    }
}
