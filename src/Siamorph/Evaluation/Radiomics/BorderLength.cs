namespace Siamorph.Evaluation.Radiomics;

// Two estimates of the length of an outline from pixels.
internal static class BorderLength
{
    private static readonly double Diagonal = Math.Sqrt(2);

    // Each border pixel adds the length of its step: 1 straight, √2 diagonal, the mean of both at a bend.
    public static double Of(PixelGrid grid)
    {
        var border = grid.Pixels.Where(p =>
            !(grid[p.Y - 1, p.X] && grid[p.Y + 1, p.X] && grid[p.Y, p.X - 1] && grid[p.Y, p.X + 1])).ToHashSet();
        double sum = 0;
        foreach (var (y, x) in border)
        {
            int sides = 0, corners = 0;
            for (var dy = -1; dy <= 1; dy++)
                for (var dx = -1; dx <= 1; dx++)
                {
                    if ((dy == 0 && dx == 0) || !border.Contains((y + dy, x + dx))) continue;
                    if (dy == 0 || dx == 0) sides++;
                    else corners++;
                }
            sum += (sides, corners) switch
            {
                (2 or 3, 0) or (2 or 3, 1) or (2 or 3, 2) => 1,
                (0, 2) or (1, 3) => Diagonal,
                (1, 1) or (1, 2) => (1 + Diagonal) / 2,
                _ => 0,
            };
        }
        return sum;
    }

    // Lines in four directions enter the region so often; the spacing of diagonal lines is 1/√2.
    public static double Crofton(PixelGrid grid)
    {
        int Entries(int dy, int dx) => grid.Pixels.Count(p => !grid[p.Y - dy, p.X - dx]);
        return Math.PI / 4 * (Entries(0, 1) + Entries(1, 0) + (Entries(1, 1) + Entries(1, -1)) / Diagonal);
    }
}
