using System.Collections.Immutable;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;

namespace Forerun.Cli.Comparing;

/// <content>Mode auto beside the fixed modes that it chooses from. Every figure is null in other modes, and where none of these was
/// compared.</content>
internal sealed partial record CompareRow
{
    private static readonly string Auto = ModeNames.Of(DecodingMode.Auto);

    private static readonly ImmutableArray<string> NotChosen = [Auto, ModeNames.Of(DecodingMode.Colocated)];

    private CompareRow? _bestFixed;

    /// <summary>The fixed mode that takes the least time per output token at the median.</summary>
    public string? BestFixedMode => _bestFixed?.Mode;

    /// <summary>Its draft length; null where it drafts nothing.</summary>
    public int? BestFixedDraftLength => _bestFixed?.DraftLength;

    /// <summary>Time per output token ÷ that mode's, per prompt; the median.</summary>
    public double? TimeOverBestFixed => OrNull(TimesOverBestFixed, 0.5);

    /// <summary>Where the median over more prompts lies with a chance of 95 %; null for fewer than six.</summary>
    public Interval? TimeOverBestFixedInterval => Known(TimesOverBestFixed).MedianInterval();

    private IEnumerable<double?> TimesOverBestFixed => _bestFixed is { } best ? _runs.Zip(best._runs, TimeRatio) : [];

    /// <summary>The row beside all others; in mode auto it knows the best of those that it chose from.</summary>
    internal CompareRow Beside(ImmutableArray<CompareRow> rows) => Mode != Auto
        ? this
        : this with
        {
            _bestFixed = rows
                .Where(row => row._key with { Mode = Mode, DraftLength = null } == _key && !NotChosen.Contains(row.Mode))
                .Where(row => row.TimePerOutputTokenP50Ms is not null)
                .MinBy(row => row.TimePerOutputTokenP50Ms),
        };

    private static double? TimeRatio(GenerationReport run, GenerationReport other) =>
        run.TimePerOutputTokenMs / other.TimePerOutputTokenMs;
}
