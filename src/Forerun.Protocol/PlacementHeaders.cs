using System.Buffers.Binary;
using Forerun.Core.Numerics;

namespace Forerun.Protocol;

/// <summary>Request headers with which a gateway places a session without reading its messages.</summary>
public static class PlacementHeaders
{
    /// <summary>The target that the edge insists on; left out when any will do.</summary>
    public const string TargetId = "forerun-target-id";

    /// <summary>The numerics that the edge insists on; left out when any will do.</summary>
    public const string NumericsId = "forerun-numerics-id";

    /// <summary><see cref="PrefixHash"/> of the prompt: equal prefixes go to the same server.</summary>
    public const string PromptPrefixHash = "forerun-prompt-prefix";

    /// <summary>The session to go on with, in base 64; left out when a new one starts.</summary>
    public const string ResumeToken = "forerun-resume-token";

    /// <summary>Tokens at the start of a prompt that <see cref="PrefixHash"/> looks at.</summary>
    public const int PrefixTokens = 64;

    /// <summary>Hash of the first <see cref="PrefixTokens"/> tokens: 16 hexadecimal digits.</summary>
    public static string PrefixHash(ReadOnlySpan<int> promptTokens)
    {
        var prefix = promptTokens[..Math.Min(promptTokens.Length, PrefixTokens)];
        Span<byte> bytes = stackalloc byte[PrefixTokens * sizeof(int)];
        for (var i = 0; i < prefix.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes[(i * sizeof(int))..], prefix[i]);
        }

        return Convert.ToHexStringLower(Sha256.Of(bytes[..(prefix.Length * sizeof(int))]).AsSpan(0, 8));
    }
}
