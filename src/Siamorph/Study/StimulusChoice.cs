using Siamorph.Data;
using Siamorph.Evaluation.Statistics;

namespace Siamorph.Study;

/// <summary>A pair that may be shown.</summary>
/// <param name="Pair">Its files.</param>
/// <param name="IsSynthetic">Which kind.</param>
/// <param name="Area">The lesion's share of the image.</param>
/// <param name="Content">Hash of the mask's pixels at the study's size.</param>
internal sealed record StudyCandidate(ImageMaskPair Pair, bool IsSynthetic, double Area, string Content)
{
    /// <summary>What its mask comes from: the id that a synthetic image was drawn from, or its own.</summary>
    public string Source { get; } = !IsSynthetic ? Pair.Id : Pair.Origin?.SourceMask ?? $"synthetic {Pair.Id}";

    /// <summary>What its mask is known by: a deformed mask is another one than its source.</summary>
    public string Mask => Pair.Origin?.Deformation is { } deformation and not "none" ? $"{Source} {deformation}" : Source;
}

/// <summary>What will be shown: as many real as synthetic pairs from each third of lesion sizes, and no mask twice.</summary>
/// <param name="Shown">The images of the study, each with its third.</param>
/// <param name="Practice">Those to practise on, real and synthetic in turn.</param>
/// <param name="Spare">A real pair for each image that will be cut to pieces.</param>
internal sealed record StimulusChoice(
    IReadOnlyList<(StudyCandidate Candidate, int Third)> Shown, IReadOnlyList<StudyCandidate> Practice,
    IReadOnlyList<StudyCandidate> Spare)
{
    private const int Thirds = 3;
    private static readonly bool[] Kinds = [false, true]; // synthetic or not

    /// <summary>Chooses by the options' seed.</summary>
    /// <exception cref="InvalidDatasetException">A third has too few pairs; all that is missing is listed.</exception>
    public static StimulusChoice Of(IReadOnlyList<StudyCandidate> candidates, StudyOptions options)
    {
        double[] areas = [.. candidates.Where(c => !c.IsSynthetic).Select(c => c.Area).Order()];
        double low = Quantiles.OfSorted(areas, 1.0 / Thirds), high = Quantiles.OfSorted(areas, 2.0 / Thirds);
        int ThirdOf(StudyCandidate c) => c.Area <= low ? 0 : c.Area <= high ? 1 : 2;
        var (used, faults) = (new Used(), new List<string>());
        var shown = new List<(StudyCandidate, int)>();
        var queues = Kinds.ToDictionary(kind => kind, kind => Queue(candidates, kind, options.Seed));
        for (var third = 0; third < Thirds; third++)
        {
            var wanted = options.Images / Thirds + (third < options.Images % Thirds ? 1 : 0);
            foreach (var kind in Kinds)
            {
                var taken = used.Take(queues[kind].Where(c => ThirdOf(c) == third), wanted);
                shown.AddRange(taken.Select(c => (c, third)));
                if (taken.Count < wanted) faults.Add(Shortage(kind, third, wanted, taken.Count, (low, high)));
            }
        }
        if (faults.Count > 0) throw new InvalidDatasetException(string.Join(Environment.NewLine, faults));
        var practice = PractiseOn(queues, used, options.Practice);
        var spare = queues[false].Where(c => !used.Has(c)).Concat(shown.Where(s => !s.Item1.IsSynthetic).Select(s => s.Item1))
            .Take(options.CatchItems);
        return new(shown, practice, [.. spare]);
    }

    private static List<StudyCandidate> PractiseOn(Dictionary<bool, List<StudyCandidate>> queues, Used used, int count)
    {
        var practice = new List<StudyCandidate>();
        for (var i = 0; i < count; i++) practice.AddRange(used.Take(queues[i % 2 == 1], 1));
        return practice.Count == count ? practice : throw new InvalidDatasetException(
            $"Only {practice.Count} of {count} practice images are left besides those of the study. Give more pairs, or "
            + "lower --practice or --images.");
    }

    // In random order; of every patient, or source of masks, one before a second of any; first those whose mask the other kind
    // can't use.
    private static List<StudyCandidate> Queue(IReadOnlyList<StudyCandidate> candidates, bool synthetic, Seed seed)
    {
        var own = candidates.Where(c => c.IsSynthetic == synthetic).ToList();
        var others = candidates.Where(c => c.IsSynthetic != synthetic).SelectMany(c => new[] { c.Source, c.Content }).ToHashSet();
        var shuffled = seed.Derive(synthetic ? "synthetic" : "real").Random().Permutation(own.Count).Select(i => own[i]);
        return [.. shuffled.GroupBy(c => c.IsSynthetic ? c.Source : c.Pair.Group ?? $"\0{c.Pair.Id}")
            .SelectMany(g => g.Select((c, turn) => (c, turn)))
            .OrderBy(x => x.turn).ThenBy(x => others.Contains(x.c.Source) || others.Contains(x.c.Content)).Select(x => x.c)];
    }

    private static string Shortage(bool synthetic, int third, int wanted, int found, (double Low, double High) bounds)
    {
        var sizes = third switch
        {
            0 => FormattableString.Invariant($"up to {bounds.Low:0.0 %} of the image"),
            1 => FormattableString.Invariant($"{bounds.Low:0.0 %} to {bounds.High:0.0 %} of the image"),
            _ => FormattableString.Invariant($"above {bounds.High:0.0 %} of the image"),
        };
        var (kind, more) = synthetic ? ("synthetic", "Synthesize more") : ("real", "Name further splits by --splits");
        return $"{wanted} {kind} pairs with lesions of {sizes} are wanted, {found} are there whose mask is not used otherwise. "
            + $"{more}, or lower --images.";
    }

    /// <summary>Masks that are taken, by name and by content; and what the other kind was made from, deformed or not.</summary>
    private sealed class Used
    {
        private readonly HashSet<string> _masks = [];
        private readonly HashSet<(bool Synthetic, string Source)> _sources = [];

        public bool Has(StudyCandidate c) =>
            _masks.Contains(c.Mask) || _masks.Contains(c.Content) || _sources.Contains((!c.IsSynthetic, c.Source));

        public List<StudyCandidate> Take(IEnumerable<StudyCandidate> from, int count)
        {
            var taken = new List<StudyCandidate>();
            foreach (var c in from)
            {
                if (taken.Count == count) break;
                if (Has(c)) continue;
                _masks.UnionWith([c.Mask, c.Content]);
                _sources.Add((c.IsSynthetic, c.Source));
                taken.Add(c);
            }
            return taken;
        }
    }
}
