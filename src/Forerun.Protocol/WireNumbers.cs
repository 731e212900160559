using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Google.Protobuf.Collections;

namespace Forerun.Protocol;

/// <summary>Numbers between the wire's unsigned and the code's signed types. Whatever comes in is hostile.</summary>
internal static class WireNumbers
{
    /// <summary>A count, position or id.</summary>
    /// <exception cref="ProtocolException">The value does not fit.</exception>
    public static int ToInt(uint value, string field) => value <= int.MaxValue
        ? (int)value
        : throw new ProtocolException(
            VerificationErrorCode.BadMessage,
            $"The field '{field}' is out of range.",
            $"at most {int.MaxValue}",
            $"{value}");

    /// <summary>Token ids.</summary>
    /// <exception cref="ProtocolException">An id does not fit.</exception>
    public static ImmutableArray<int> ToTokens(RepeatedField<uint> values)
    {
        if (values.Count == 0)
        {
            return [];
        }

        var tokens = ImmutableArray.CreateBuilder<int>(values.Count);
        foreach (var value in values)
        {
            tokens.Add(ToInt(value, "tokens"));
        }

        return tokens.MoveToImmutable();
    }

    /// <summary>Adds token ids to a field.</summary>
    public static void AddTokens(RepeatedField<uint> destination, ImmutableArray<int> tokens)
    {
        destination.Capacity = tokens.Length;
        foreach (var token in tokens)
        {
            destination.Add((uint)token);
        }
    }

    /// <summary>A duration in whole microseconds, at most 71 minutes.</summary>
    public static uint ToMicroseconds(TimeSpan time) =>
        (uint)Math.Clamp(time.Ticks / TimeSpan.TicksPerMicrosecond, 0, uint.MaxValue);
}
