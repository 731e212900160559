using System.CommandLine.Parsing;
using System.Globalization;

namespace Forerun.Cli;

/// <summary>Amounts of memory as users write them: <c>1500000</c>, <c>512MiB</c>, <c>2GiB</c>.</summary>
internal static class ByteSize
{
    private static readonly (string Unit, long Bytes)[] Units =
        [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40)];

    /// <summary>Parses an option's value.</summary>
    public static long Parse(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (TryParse(text) is { } bytes)
        {
            return bytes;
        }

        result.AddError($"The size \"{text}\" is not usable: expected bytes, or a number with KiB, MiB, GiB or TiB, above 0.");
        return 0;
    }

    /// <summary>The bytes; null when the text is no size above 0.</summary>
    public static long? TryParse(string text)
    {
        var (unit, factor) = Array.Find(Units, unit => text.EndsWith(unit.Unit, StringComparison.OrdinalIgnoreCase));
        var number = text[..^(unit ?? "").Length].TrimEnd();
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count > 0 && count <= long.MaxValue / Math.Max(factor, 1)
            ? count * Math.Max(factor, 1)
            : null;
    }

    /// <summary>Whole mebibytes.</summary>
    public static string Show(long bytes) => $"{bytes >> 20} MiB";
}
