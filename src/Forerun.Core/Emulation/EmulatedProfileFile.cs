using System.Text.Json;
using System.Text.Json.Serialization;

namespace Forerun.Core.Emulation;

/// <summary>Finds a profile by its name, or reads it from a JSON file:
/// <c>{"name": "my-board", "draftMs": 120, "verifyMs": 300, "networkMs": 40}</c>.</summary>
public static class EmulatedProfileFile
{
    private const int MaxFileBytes = 64 * 1024;
    private const int MaxNameLength = 64;
    private const double MaxMs = 600_000;

    /// <summary>The named profile, or that of a file.</summary>
    /// <exception cref="ArgumentException">There is neither a profile nor a file of this name.</exception>
    /// <exception cref="InvalidDataException">The file is not a profile, or a figure is out of range.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static EmulatedProfile Find(string nameOrPath)
    {
        if (EmulatedProfile.Named.FirstOrDefault(profile => profile.Name == nameOrPath) is { } named)
        {
            return named;
        }

        return File.Exists(nameOrPath)
            ? Read(nameOrPath)
            : throw new ArgumentException(
                $"There is no emulated hardware \"{nameOrPath}\": expected {string.Join(", ", EmulatedProfile.Named.Select(profile => profile.Name))}, or a JSON file.");
    }

    private static EmulatedProfile Read(string path)
    {
        var length = new FileInfo(path).Length;
        if (length > MaxFileBytes)
        {
            throw new InvalidDataException(
                $"\"{path}\" is not a profile of emulated hardware: expected at most {MaxFileBytes} bytes, got {length}.");
        }

        ProfileDocument document;
        try
        {
            document = JsonSerializer.Deserialize(File.ReadAllBytes(path), ProfileJson.Default.ProfileDocument)
                ?? throw new JsonException("It is null.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException(
                $"\"{path}\" is not a profile of emulated hardware: expected {{\"name\": …, \"draftMs\": …, \"verifyMs\": …, \"networkMs\": …}}. {exception.Message}",
                exception);
        }

        var name = document.Name;
        Check(
            name.Length is >= 1 and <= MaxNameLength && name.All(c => char.IsAsciiLetterOrDigit(c) || "+-._".Contains(c)),
            $"name: 1 to {MaxNameLength} letters, digits, '+', '-', '.' or '_'");
        Check(
            EmulatedProfile.Named.All(profile => profile.Name != name),
            "a name that is not one of Forerun's own profiles");
        Check(document.DraftMs is > 0 and <= MaxMs, $"draftMs: above 0, up to {MaxMs}");
        Check(document.VerifyMs is > 0 and <= MaxMs, $"verifyMs: above 0, up to {MaxMs}");
        Check(document.NetworkMs is >= 0 and <= MaxMs, $"networkMs: 0 to {MaxMs}");
        return EmulatedProfile.Of(name, document.DraftMs, document.VerifyMs, document.NetworkMs);

        void Check(bool right, string expected)
        {
            if (!right)
            {
                throw new InvalidDataException(
                    $"\"{path}\" is not a usable profile of emulated hardware: expected {expected}; got name \"{name}\", draftMs {document.DraftMs}, verifyMs {document.VerifyMs}, networkMs {document.NetworkMs}.");
            }
        }
    }
}

/// <summary>A profile as its file has it; <paramref name="DraftMs"/> is for a draft of 4 tokens.</summary>
internal sealed record ProfileDocument(string Name, double DraftMs, double VerifyMs, double NetworkMs);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ProfileDocument))]
internal sealed partial class ProfileJson : JsonSerializerContext;
